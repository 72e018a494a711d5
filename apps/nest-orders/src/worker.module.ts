import { Module } from '@nestjs/common';
import { DatabaseModule } from './database/database.module.js';
import { DurableModule } from './durable.module.js';
import { FulfilmentModule } from './fulfilment/fulfilment.module.js';
import { ReportsModule } from './reports/reports.module.js';
import { SettingsModule } from './settings.js';

/** A worker process: fulfils orders and makes reports. Start as many as you need. */
@Module({
  imports: [SettingsModule, DatabaseModule, DurableModule.forWorker(), FulfilmentModule, ReportsModule],
})
export class WorkerModule {}
