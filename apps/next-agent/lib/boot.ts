// What happens once per process, before the first request.

import { perdure } from './perdure';
import { prepareShop } from './shop';

export async function boot(): Promise<void> {
  await prepareShop();
  await perdure.boot();
}
