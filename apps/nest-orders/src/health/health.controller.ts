import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { PerdureHealthIndicator } from '@perdure/nestjs';

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly perdure: PerdureHealthIndicator,
  ) {}

  /** 200 while the engine can do its work, else 503 with the reason. */
  @Get()
  @HealthCheck()
  async check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.perdure.isHealthy()]);
  }
}
