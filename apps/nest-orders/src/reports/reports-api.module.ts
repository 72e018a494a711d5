import { Module } from '@nestjs/common';
import { ReportsController } from './reports.controller.js';

/** Part of the API: shows reports. */
@Module({ controllers: [ReportsController] })
export class ReportsApiModule {}
