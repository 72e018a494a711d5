// Waiting for a fact of another process.

import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when `condition` holds; the error after ten seconds names `what` was awaited. */
export async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error(`${what}: still not so after 10 s`);
    await delay(20);
  }
}
