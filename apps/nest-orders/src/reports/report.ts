// What has been shipped within the hour before a moment.

/** The name of the schedule, and of the workflow that it starts. */
export const hourlyReport = 'hourly-report';

export interface Report {
  readonly until: Date;
  readonly orders: number;
  readonly cents: number;
}
