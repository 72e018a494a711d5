// Once per hour over all workers, and to its end whatever crashes.

import { Injectable } from '@nestjs/common';
import { Scheduled } from '@perdure/nestjs';
import { runTransaction, type Tick } from 'perdure';
import { Database } from '../database/database.js';
import { MailService } from '../mail/mail.service.js';
import { hourlyReport, type Report } from './report.js';

@Injectable()
export class HourlyReport {
  constructor(
    private readonly database: Database,
    private readonly mail: MailService,
  ) {}

  @Scheduled('0 * * * *', { name: hourlyReport, timeZone: 'Europe/Berlin', overlap: 'skip' })
  async run({ scheduledAt }: Tick): Promise<Report> {
    const report = await this.count(scheduledAt);
    await this.mail.send('boss@shop.example', `${report.orders} orders shipped, ${report.cents / 100} €`);
    return report;
  }

  private async count(until: Date): Promise<Report> {
    return runTransaction('count', this.database.source, async (client) => {
      const { rows } = await client.query<{ orders: number; cents: number }>(
        `insert into shop.reports (until, orders, cents)
         select $1, count(*), coalesce(sum(orders.cents), 0)
         from shop.parcels join shop.orders on orders.id = parcels.order_id
         where parcels.shipped_at > $1::timestamptz - interval '1 hour' and parcels.shipped_at <= $1
         returning orders, cents::float8 as cents`,
        [until],
      );
      return { until, orders: rows[0]?.orders ?? 0, cents: rows[0]?.cents ?? 0 };
    });
  }
}
