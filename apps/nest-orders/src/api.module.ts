import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { PerdureExceptionFilter } from '@perdure/nestjs/http';
import { DatabaseModule } from './database/database.module.js';
import { DurableModule } from './durable.module.js';
import { HealthModule } from './health/health.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { ReportsApiModule } from './reports/reports-api.module.js';
import { SettingsModule } from './settings.js';

/** The API process: takes orders and runs none. */
@Module({
  imports: [SettingsModule, DatabaseModule, DurableModule.forApi(), OrdersModule, ReportsApiModule, HealthModule],
  // An answer that comes too late is 409, one for no order 404, with the error's code.
  providers: [{ provide: APP_FILTER, useClass: PerdureExceptionFilter }],
})
export class ApiModule {}
