// npm run demo:checkout: an order loses its process right after it was paid, and arrives all the same, paid once.
//   --script   a plain log, also on a terminal
// Ends with 0 only if the tables say so. Uses the database of DATABASE_URL, else starts a Postgres and stops it again.

import { startPostgres } from '@perdure/embedded';
import { createEngine, silentLogger, type Engine } from 'perdure';
import { Screen } from './screen.js';
import { examine } from './verdict.js';
import { startWorker, type WorkerProcess } from './worker-process.js';

const screen = new Screen(process.stdout.isTTY && !process.argv.includes('--script'));
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
const deadline = AbortSignal.any([AbortSignal.timeout(90_000), interrupted.signal]);

/** That a process has run a step, or begun to, as its log says. */
interface Ran {
  readonly step: string;
  readonly pid: number;
}

try {
  const isGood = await withDatabase(async (databaseUrl) => {
    const engine = createEngine({ database: databaseUrl, logger: silentLogger }); // hosts no workflow, only looks on
    await engine.launch();
    try {
      return await play(engine, databaseUrl);
    } finally {
      await engine.close();
    }
  });
  process.exitCode = isGood ? 0 : 1;
} catch (error) {
  screen.verdict(false, 'The demo did not get to its end.');
  if (!interrupted.signal.aborted) console.error(error);
  process.exitCode = 1;
}

async function withDatabase<T>(work: (databaseUrl: string) => Promise<T>): Promise<T> {
  screen.title('Perdure: kill the process, keep the order');
  const given = process.env['DATABASE_URL'];
  if (given) {
    screen.happening({ pid: process.pid, text: 'uses the Postgres of DATABASE_URL' });
    return work(given);
  }
  screen.happening({ pid: process.pid, text: 'starts a Postgres, which takes a moment the first time' });
  // Should this process be killed itself, the server notices that nobody is left, and stops.
  const postgres = await startPostgres({ database: 'checkout', stopWhenIdleMs: 60_000 });
  const { how, port, version } = postgres;
  screen.happening({ pid: process.pid, text: `Postgres ${version} ${how}, on port ${port}` });
  try {
    return await work(postgres.url);
  } finally {
    if (how !== 'attached') await postgres.stop();
  }
}

async function play(engine: Engine, databaseUrl: string): Promise<boolean> {
  const ran: Ran[] = [];
  const runId = await killAfterPayment(startWorker(['--new-order'], databaseUrl, deadline), ran);
  await takeOver(engine, startWorker([], databaseUrl, deadline), { runId, ran });

  const payers = ran.filter(({ step }) => step === 'pay').map(({ pid }) => pid);
  const findings = [
    ...(await examine(databaseUrl, runId)),
    { isRight: payers.length === 1, text: `step "pay" run by process ${payers.join(' and ')} alone` },
  ];
  screen.heading('What came of it');
  for (const { isRight, text } of findings) screen.check(isRight, text);

  await showHistory(engine, runId, ran);
  const isGood = findings.every(({ isRight }) => isRight);
  screen.verdict(isGood, isGood ? 'Paid once, and arrived.' : 'This should not have happened.');
  return isGood;
}

/** Resolves to the id of the run that has lost its process. */
async function killAfterPayment(shop: WorkerProcess, ran: Ran[]): Promise<string> {
  const { pid } = shop;
  let id: string | undefined;
  screen.happening({ pid, text: 'a process of the shop starts' });
  for await (const { runId, step, message } of shop.log) {
    if (step === undefined) id = runId; // the new order; there may be others that an earlier demo has left unfinished
    if (runId !== id) continue;
    screen.happening({ pid, step, what: step === undefined ? undefined : 'runs', text: message });
    if (step === undefined) continue;
    ran.push({ step, pid });
    // A step begins only when the results of those before it are committed: the payment is recorded by now.
    if (step === 'reserve') await shop.end('SIGKILL');
  }
  if (id === undefined || !ran.some(({ step }) => step === 'reserve'))
    throw new Error(`process ${pid} ended by itself:\n${await shop.complaints}`);
  screen.happening({ pid, step: 'reserve', what: 'KILLED', text: 'by SIGKILL, half way through' });
  return id;
}

async function takeOver(
  engine: Engine,
  shop: WorkerProcess,
  { runId, ran }: { readonly runId: string; readonly ran: Ran[] },
): Promise<void> {
  const { pid } = shop;
  const recorded = await engine.runs.steps(runId);
  screen.happening({ pid, text: 'another process starts. It waits: an owner counts as dead' });
  screen.happening({ pid, text: 'after 1.5 s of silence (its lease; by default 6 s)' });
  screen.wait();

  const watch = async (): Promise<void> => {
    let isReplayed = false;
    for await (const { step, message, ...line } of shop.log) {
      if (line.runId !== runId || step === undefined) continue;
      for (const { name } of isReplayed ? [] : recorded)
        screen.happening({ pid, step: name, what: 'replayed', text: 'from Postgres, not run again' });
      isReplayed = true;
      screen.happening({ pid, step, what: 'runs', text: message });
      ran.push({ step, pid });
    }
  };
  const finish = async (): Promise<void> => {
    try {
      await engine.getHandle(runId).result({ signal: deadline });
    } finally {
      await shop.end('SIGTERM');
    }
  };
  await Promise.all([finish(), watch()]);
}

async function showHistory(engine: Engine, runId: string, ran: readonly Ran[]): Promise<void> {
  const history = await engine.runs.steps(runId);
  screen.heading(`What Perdure has recorded of run "${runId}"`);
  const rows = history.map(({ seq, name, startedAt, finishedAt }) => {
    const pid = ran.findLast(({ step }) => step === name)?.pid ?? '?';
    return [`${seq}`, name, `${pid}`, `${finishedAt.getTime() - startedAt.getTime()} ms`];
  });
  screen.table(['seq', 'step', 'by process', 'took'], rows);
}
