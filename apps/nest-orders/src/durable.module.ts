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
    useFactory: ({ databaseUrl }: Settings) => ({
      database: databaseUrl,
      worker,
      queues: [fulfilment],
      lease: '1500ms', // 6s by default; short here, so that nobody waits long for the takeover
      shutdownTimeout: '10s',
    }),
  });
}
