// The engine, for both kinds of process: workers run workflows and keep the schedules, the API starts and observes.

import { Module, type DynamicModule } from '@nestjs/common';
import { PerdureModule } from '@perdure/nestjs';
import { fulfilment } from './orders/order.js';
import { Settings } from './settings.js';

@Module({})
export class DurableModule {
  static forApi(): DynamicModule {
    return { module: DurableModule, imports: [perdure({ worker: false })] };
  }

  static forWorker(): DynamicModule {
    return { module: DurableModule, imports: [perdure({ worker: true })] };
  }
}

function perdure({ worker }: { readonly worker: boolean }): DynamicModule {
  return PerdureModule.forRootAsync({
    inject: [Settings],
    useFactory: ({ databaseUrl, lease }: Settings) => ({
      database: databaseUrl,
      worker,
      queues: [fulfilment],
      lease,
      shutdownTimeout: '10s',
    }),
  });
}
