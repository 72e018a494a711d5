// A run's recorded history against the code of this process: the same delivery as in a replay, and a host that executes nothing,
// writes nothing and asks nobody. Called by the api; the run itself, wherever it is, takes no notice.

import { isPerdureError, PerdureError } from '../values/errors.js';
import { silentLogger } from '../values/logger.js';
import { decodeError } from '../values/serialize.js';
import { markKind } from './call.js';
import { Clock } from './clock.js';
import type { HostedRun, RunHost, RunSeed } from './run-host.js';
import { Run } from './run.js';
import { runWorkflow } from './run-workflow.js';

/** What a check found. */
export interface ReplayCheck {
  /** Whether the code asks for what is recorded. */
  readonly fits: boolean;
  /** How many recorded operations the code has asked for. */
  readonly replayed: number;
  /** NONDETERMINISM, with what is recorded and what the code asks for; undefined when it fits. */
  readonly error: PerdureError | undefined;
}

/** What to check. */
export interface ReplayCheckOptions {
  readonly seed: RunSeed;
  /** The run has succeeded: the code must come to its end as well. */
  readonly hasSucceeded: boolean;
  /** The engine that would run it. */
  readonly host: Pick<RunHost, 'executorId' | 'maxPayloadBytes' | 'outside' | 'carrier'>;
}

// Code may await something that is not durable, though not for ever.
const patienceMs = 10_000;

/** Replays a history. Resolves when the code has asked for everything that is recorded, or for something else. */
export function checkReplay(options: ReplayCheckOptions): Promise<ReplayCheck> {
  return new Promise((resolve) => new Check(options, resolve).begin());
}

class Check {
  readonly #options: ReplayCheckOptions;
  readonly #resolve: (check: ReplayCheck) => void;
  readonly #run: Run;
  #patience: NodeJS.Timeout | undefined;
  #isOver = false;
  #isScheduled = false;

  constructor(options: ReplayCheckOptions, resolve: (check: ReplayCheck) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#run = new Run(this.#host(), options.seed);
    this.#run.undurable = 1; // nothing that a step does may begin before what was told is durable, which never comes
  }

  begin(): void {
    this.#patience = setTimeout(() => this.#misfit('nothing, for ten seconds'), patienceMs);
    runWorkflow(this.#run);
    this.#turn();
  }

  #turn(): void {
    if (this.#isScheduled || this.#isOver) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#isOver) return;
      this.#run.pump();
      this.#look();
    });
  }

  // With a history that is used up, a run in flight fits. One that has succeeded must not ask for more.
  #look(): void {
    const { delivery } = this.#run;
    if (this.#isOver || delivery.isReplaying) return;
    if (!this.#options.hasSucceeded) return this.#end(undefined);
    const [asked] = delivery.outstanding;
    if (asked !== undefined) this.#misfit(`${asked.kind} "${asked.name}"`);
  }

  #misfit(found: string): void {
    const { id, definition } = this.#options.seed;
    const expected = this.#run.delivery.describeNextRecord();
    this.#end(new PerdureError('NONDETERMINISM', { id, workflow: definition.name, expected, found }));
  }

  #end(error: PerdureError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#patience);
    const { replayed } = this.#run.delivery;
    this.#run.abandon(new PerdureError('STEP_ABORTED', { step: '*', reason: 'its replay was only a check' }));
    this.#resolve({ fits: error === undefined, replayed, error });
  }

  #host(): RunHost {
    const { executorId, maxPayloadBytes, outside, carrier } = this.#options.host; // getters, which a spread would leave out
    const nothing = (): void => undefined;
    const never = <T>(): Promise<T> => new Promise<T>(nothing);
    return {
      executorId,
      maxPayloadBytes,
      outside,
      carrier,
      clock: new Clock(),
      logger: silentLogger,
      parkAfterMs: Infinity,
      options: { aroundStep: undefined },
      isDraining: false,
      persistence: () => ({ isOver: () => true, onFailure: nothing }),
      schedulePump: (_run: HostedRun) => this.#turn(),
      startChild: never,
      onOutcome: () => nothing,
      mailbox: { receive: () => ({ stop: nothing, stopAfterLook: nothing }), received: nothing },
      exchange: { recordAttempt: never, send: never, onEvent: () => nothing, findStreamEnd: async () => undefined },
      journal: {
        start: () => {
          throw new Error('a check of a replay starts no run');
        },
        checkpoint: (_run, { row }) => row.kind !== markKind && this.#wentOn(`${row.kind} "${row.name}"`),
        publish: nothing,
        park: nothing,
        outcome: (_run, { error, status }) => {
          const thrown = status === 'paused' && error !== undefined ? decodeError(error) : undefined;
          this.#end(isPerdureError(thrown) ? thrown : undefined);
        },
      },
      finished: nothing,
      left: nothing,
      lost: nothing,
      release: nothing,
    };
  }

  // The code has asked for something that is not recorded and needs no effect, such as an event.
  #wentOn(found: string): void {
    if (this.#options.hasSucceeded) this.#misfit(found);
    else this.#end(undefined);
  }
}
