// Ours, from the built packages. What the engine does not offer yet is left out of `offers` and reported as not available.

import * as perdure from 'perdure';
import { onClient, value } from '../lib/cluster.mjs';
import { packageVersion } from '../lib/package-version.mjs';
import { programs } from '../lib/programs.mjs';

export const version = packageVersion('perdure');
export const offers = ['runs', 'sleep', 'remote', 'recovery', 'long', 'history'];
export const leaseMs = 5_000;
export const parksCheaply = true;

const concurrencyDefault = 100;
const verbs = {
  step: (name, fn) => perdure.runStep(name, fn),
  sleep: (ms) => perdure.sleep(ms),
};

export async function open({ url, role = 'both', concurrency = concurrencyDefault }) {
  const workflows = Object.fromEntries(
    Object.entries(programs).map(([name, program]) => [name, perdure.workflow(name, (input) => program(input, verbs))]),
  );
  const engine = perdure.createEngine({
    database: url,
    workflows: role === 'client' ? [] : Object.values(workflows),
    maxConcurrentRuns: Math.max(concurrency, concurrencyDefault),
  });
  await engine.launch();
  return {
    start: (name, input) => engine.startWorkflow(workflows[name], input),
    run: async (name, input) => (await engine.startWorkflow(workflows[name], input)).result(),
    unfinished: () => count(url, ['queued', 'running', 'waiting']),
    parked: () => count(url, ['waiting']),
    close: () => engine.close(),
  };
}

const count = (url, statuses) =>
  onClient(url, async (client) =>
    Number(await value(client, 'select count(*) from perdure.runs where status = any($1)', [statuses])),
  );
