// Two starts of one id in one process: the second one shares the first one's answer, but not its misfortunes.

import { expect, test } from '@jest/globals';
import { Clock } from '../../src/run/clock.js';
import { Registry, type WorkflowDefinition } from '../../src/run/definition.js';
import type { Settlement } from '../../src/run/journal-batch.js';
import { OpenTransactions } from '../../src/run/open-transactions.js';
import type { HostedRun, NewRun } from '../../src/run/run-host.js';
import { Starter, type StarterOptions } from '../../src/run/start-run.js';
import { silentLogger } from '../../src/values/logger.js';
import { PerdureError } from '../../src/values/errors.js';
import type { RunId } from '../../src/values/ids.js';

interface PendingStart {
  readonly parentEpoch: number | undefined;
  readonly settle: (settlement: Settlement) => void;
  readonly giveUp: (error: PerdureError) => void;
}

interface Bench {
  readonly starter: Starter;
  /** What the journal was given, in order; the test decides it. */
  readonly starts: PendingStart[];
  /** What a look into the database finds. */
  readonly rows: Record<string, unknown>[];
  /** The runs that turned out to be others'. */
  readonly lost: HostedRun[];
}

function bench(): Bench {
  const starts: PendingStart[] = [];
  const rows: Record<string, unknown>[] = [];
  const lost: HostedRun[] = [];
  const journal = {
    start: (
      _writer: unknown,
      row: { parent?: { epoch: number } },
      settle: PendingStart['settle'],
      giveUp: PendingStart['giveUp'],
    ): void => void starts.push({ parentEpoch: row.parent?.epoch, settle, giveUp }),
  };
  const persistence = (): unknown => ({ isOver: () => false, onFailure: () => undefined });
  const host = {
    journal,
    clock: new Clock(),
    logger: silentLogger,
    isDraining: false,
    persistence,
    lost: (run: HostedRun) => lost.push(run),
  };
  const memory = { room: () => 1, findLive: () => undefined, admit: () => undefined, discard: () => undefined };
  const database = { query: async () => rows };
  const transactions = new OpenTransactions(() => undefined);
  const options = { host, database, registry: new Registry(), transactions, ...memory } as unknown as StarterOptions;
  return { starter: new Starter(options), starts, rows, lost };
}

const contract: WorkflowDefinition = {
  name: 'elsewhere',
  version: '',
  run: undefined,
  inputSchema: undefined,
  timeoutMs: undefined,
};
const child: NewRun = { definition: contract, input: 'null', id: 'parent/elsewhere' as RunId };

/** A claim of the parent. */
function parent(epoch: number): HostedRun {
  const ticket = { id: 'parent' as RunId, isNew: true, outcome: undefined };
  return { id: ticket.id, epoch, deadlineAtMs: undefined, ticket, pump: () => undefined };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('a second start of an id that is being started shares the answer', async () => {
  const { starter, starts } = bench();

  const tickets = [starter.start(child), starter.start(child)];
  await settled();
  starts[0]?.settle('recorded');

  expect(await Promise.all(tickets)).toMatchObject([{ isNew: true }, { isNew: false }]);
  expect(starts).toHaveLength(1);
});

test.each<Settlement>(['refused', 'exists'])(
  'a child whose start was %s for a lost execution of its parent is started by the next one',
  async (settlement) => {
    const { starter, starts } = bench();
    const lost = starter.start(child, parent(1)).catch((error: unknown) => error);
    const next = starter.start(child, parent(2));
    await settled();

    starts[0]?.settle(settlement); // 'exists', and nothing is found: it was not inserted
    await settled();
    starts[1]?.settle('recorded');

    expect(await next).toMatchObject({ id: child.id, isNew: true });
    expect(await lost).toMatchObject({ code: 'STEP_ABORTED' });
    expect(starts.map(({ parentEpoch }) => parentEpoch)).toEqual([1, 2]);
  },
);

test('a parent that shares a start whose caller was told that nobody knows starts its child itself', async () => {
  const { starter, starts } = bench();
  const outside = starter.start(child).catch((error: unknown) => error);
  const inside = starter.start(child, parent(1));
  await settled();

  starts[0]?.giveUp(new PerdureError('START_UNCONFIRMED', { id: 'parent/elsewhere', reason: 'an outage' }));
  await settled();
  starts[1]?.settle('recorded');

  expect(await outside).toMatchObject({ code: 'START_UNCONFIRMED' });
  expect(await inside).toMatchObject({ id: child.id });
});

test('callers from outside who share a start are told together that nobody knows', async () => {
  const { starter, starts } = bench();
  const tickets = [starter.start(child), starter.start(child)].map((ticket) => ticket.catch((error: unknown) => error));
  await settled();

  starts[0]?.giveUp(new PerdureError('START_UNCONFIRMED', { id: 'parent/elsewhere', reason: 'an outage' }));

  expect(await Promise.all(tickets)).toMatchObject([{ code: 'START_UNCONFIRMED' }, { code: 'START_UNCONFIRMED' }]);
  expect(starts).toHaveLength(1);
});

test('a parent whose child is refused is lost before its code hears of that', async () => {
  const { starter, starts, lost } = bench();
  const claim = parent(1);
  const heard: string[] = [];
  const ticket = starter.start(child, claim).catch(() => heard.push(`lost: ${lost.length}`));

  starts[0]?.settle('refused');
  await ticket;

  expect(heard).toEqual(['lost: 1']);
  expect(lost).toEqual([claim]);
});
