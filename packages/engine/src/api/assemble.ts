// How the parts of a launched engine are put together, set going, and taken down again. The order matters in both
// directions, and this is the only place that knows it.

import type { Registry } from '../run/definition.js';
import { Executor } from '../run/executor.js';
import { OpenTransactions } from '../run/open-transactions.js';
import { Claimer } from '../services/claimer.js';
import { heartbeatService, recoveryService } from '../services/heartbeat.js';
import { Listener } from '../services/listener.js';
import { mailService } from '../services/mail-service.js';
import { channelOf, Notifier, type News } from '../services/notifier.js';
import { scheduler } from '../services/scheduler.js';
import type { Service } from '../services/service.js';
import { strandedWatch, type StrandedWatch } from '../services/stranded.js';
import { firstAskMs, transactionWatch, type TransactionWatch } from '../services/transaction-watch.js';
import { watcher } from '../services/watcher.js';
import { Database } from '../store/database.js';
import { migrate } from '../store/migrate.js';
import type { RunId } from '../values/ids.js';
import { Driver } from './drive.js';
import { Runs } from './manage.js';
import type { Settings } from './options.js';
import { Queues } from './queues.js';
import { startTick } from './scheduled-start.js';
import { Schedules } from './schedules.js';

/** A launched engine. */
export interface Parts {
  readonly database: Database;
  readonly executor: Executor;
  readonly runs: Runs;
  readonly schedules: Schedules;
  readonly queues: Queues;
  readonly transactions: OpenTransactions;
  readonly notifier: Notifier;
  readonly listener: Listener | undefined;
  readonly stranded: StrandedWatch;
  readonly services: Services;
  readonly driver: Driver;
}

interface Services {
  readonly heartbeats: Service;
  readonly recoveries: Service;
  readonly claims: Service;
  readonly watches: Service;
  readonly mail: Service;
  readonly stranded: Service;
  readonly schedules: Service;
  readonly transactionEnds: Service;
}

/** Connects, migrates, announces the executor and starts the services. */
export async function launchParts(settings: Settings, registry: Registry): Promise<Parts> {
  const database = await Database.open(settings.database);
  try {
    await migrate(database, settings.mayMigrate);
    const parts = assemble(database, settings, registry);
    for (const queue of settings.queues) await parts.queues.declare(queue);
    await parts.schedules.declare(settings.schedules); // which may be in these queues
    await parts.executor.queues.refresh();
    await parts.executor.launch();
    parts.listener?.start();
    for (const service of Object.values<Service>({ ...parts.services })) service.start();
    return parts;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Stops what brings work, lets the executor drain, and then ends what kept it alive. */
export async function closeParts(
  { database, executor, listener, notifier, services, transactions }: Parts,
  timeoutMs: number,
  onDrained: () => void,
): Promise<void> {
  const { heartbeats, ...others } = services;
  executor.isDraining = true;
  const until = performance.now() + timeoutMs;
  await within(timeoutMs, Promise.all(Object.values<Service>(others).map((service) => service.stop())));
  await executor.close(Math.max(0, until - performance.now()));
  transactions.close();
  onDrained();
  await heartbeats.stop();
  notifier.tell({ due: true }); // what was handed over waits for others
  await Promise.all([notifier.close(), listener?.stop()]);
  await database.close();
}

function assemble(database: Database, settings: Settings, registry: Registry): Parts {
  const { logger, leaseMs, maxRecoveries, mayListen } = settings;
  const channel = channelOf(settings.database.schema);
  const notifier = new Notifier(database, channel, logger);
  const pollMs = (): number => settings.pollMs ?? (listener?.isListening === true ? 5_000 : 1_000);
  const tell = (news: News): void => {
    if (mayListen) notifier.tell(news);
    if (news.due === true) services.claims.poke();
    if (news.scheduled === true) services.schedules.poke();
  };
  const transactions = new OpenTransactions(() => services.transactionEnds.pokeWithin(firstAskMs));
  const executor = new Executor({
    ...settings,
    database,
    registry,
    transactions,
    onCommitted: ({ watchedIds, touchedIds, hasDue, nextDueAtMs = Infinity }) => {
      tell({ ended: watchedIds, touched: touchedIds, due: hasDue ? true : undefined });
      // The others find it by their polls, in case this process dies.
      if (nextDueAtMs < Infinity) services.claims.pokeWithin(nextDueAtMs - executor.clock.now());
    },
    onMail: () => services.mail.poke(),
    onWatch: () => services.watches.poke(),
    onRoom: (queue) => claims.onRoom(queue),
  });
  const stranded = strandedWatch(database, logger);
  const ends: TransactionWatch = transactionWatch({ database, executor, transactions, pollMs: settings.pollMs });
  const claims = new Claimer({ database, executor, pollMs });
  const onDead = (): void => services.recoveries.poke();
  const onLeap = (): void => [services.claims, services.schedules].forEach((service) => service.poke());
  const services: Services = {
    recoveries: recoveryService({
      database,
      maxRecoveries,
      logger,
      // The failed ones may have woken others.
      onRecovered: (_runs, failedIds) => tell({ due: true, ended: failedIds }),
    }),
    heartbeats: heartbeatService({ database, executor, leaseMs, onDead, onLeap }),
    claims: claims.service,
    watches: watcher({ database, executor, pollMs }),
    mail: mailService(executor, pollMs),
    stranded: stranded.service,
    schedules: scheduler({
      database,
      executor,
      pollMs,
      declaredHere: () => schedules.declaredHere,
      start: (schedule, tickMs) => startTick(executor, schedule, tickMs),
      catchUp: () => services.heartbeats.nextRound(),
    }),
    transactionEnds: ends.service,
  };
  const ears = { connect: () => database.connectDirect(), channel, logger, ...listening(executor, services, ends) };
  const listener = mayListen && database.canListen ? new Listener(ears) : undefined;
  const runs = new Runs(database, executor, tell);
  const schedules = new Schedules({ database, executor, runs, onChange: () => tell({ scheduled: true }) });
  const queues = new Queues(database, executor, tell);
  const onHandedOver = (): void => tell({ due: true });
  const driver = new Driver({ executor, services, isDriven: settings.isDriven, onHandedOver });
  return { database, executor, runs, schedules, queues, notifier, listener, stranded, services, transactions, driver };
}

// What other processes tell, and what to catch up with when something of it may have been missed.
function listening(
  executor: Executor,
  { claims, watches, schedules, heartbeats }: Services,
  { announce }: TransactionWatch,
): { onNews: (news: News) => void; onGap: () => void } {
  return {
    onNews: ({ due, scheduled, sent, beat, ended = [], cut = [], touched = [] }) => {
      if (due === true) claims.poke();
      if (scheduled === true) schedules.poke();
      if (sent === true) announce();
      if (beat === true) heartbeats.poke();
      if (cut.length > 0) executor.interrupt(cut);
      executor.interests.touch([...touched, ...ended]);
      if (ended.some((id) => executor.outcomes.has(id as RunId))) watches.poke();
    },
    onGap: () => {
      heartbeats.poke();
      claims.poke();
      watches.poke();
      schedules.poke();
      announce();
      executor.interests.touchAll();
    },
  };
}

// A service may be in the middle of a statement that the database does not answer.
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
