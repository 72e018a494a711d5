import { Module } from '@nestjs/common';
import { MailModule } from '../mail/mail.module.js';
import { HourlyReport } from './hourly-report.js';

/** Part of the workers: makes reports. */
@Module({ imports: [MailModule], providers: [HourlyReport] })
export class ReportsModule {}
