import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { InjectEngine } from '@perdure/nestjs';
import type { Engine } from 'perdure';
import { Database } from '../database/database.js';
import { hourlyReport, type Report } from './report.js';

@ApiTags('reports')
@Controller('reports')
export class ReportsController {
  constructor(
    private readonly database: Database,
    @InjectEngine() private readonly engine: Engine,
  ) {}

  /** Makes one now, without waiting for the full hour. */
  @Post()
  @HttpCode(202)
  async make(): Promise<{ readonly run: string }> {
    const run = await this.engine.schedules.trigger(hourlyReport);
    return { run: run.id };
  }

  @Get()
  async list(): Promise<readonly Report[]> {
    return this.database.query<Report>(
      'select until, orders, cents::float8 as cents from shop.reports order by until desc limit 24',
    );
  }
}
