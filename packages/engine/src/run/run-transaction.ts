// A transactional step: what it writes and the fact that it has commit together, so it happens exactly once. After a crash
// between that commit and the checkpoint, the result is found in the transaction's own database.

import { codeOf, kindOf } from '../store/failures.js';
import {
  findTransactionResult,
  insertTransactionResult,
  type RawQuery,
  type TransactionKey,
} from '../store/transactions.js';
import type { PerdureError } from '../values/errors.js';
import { encodeResult } from '../values/payload.js';
import { encodeError } from '../values/serialize.js';
import { crashPoint } from '../values/process-state.js';
import type { Call, Result } from './call.js';
import { withContext, type StepContext } from './context.js';
import type { Run } from './run.js';

/** How strictly concurrent transactions are kept apart, in the words of the SQL standard. */
export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

/** Where transactions run: an application's pool or ORM. */
export interface DataSource<Transaction> {
  /** The engine's own database: then the step's claim is checked in the transaction as well. */
  readonly isEngineDatabase: boolean;
  /** The schema of `transaction_results` there. */
  readonly schema: string;
  /** Runs `work` in one transaction of this isolation; commits if it resolves, rolls back and rejects likewise if it rejects. */
  transaction<T>(
    options: { readonly isolation: Isolation; readonly isReadOnly: boolean },
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T>;
  /** A transaction of this source for the engine's own statements: what the option `transaction` of starts and messages takes. */
  use(transaction: Transaction): RawQuery;
}

/** A transactional step as it was defined. */
export interface TransactionDefinition<Transaction> {
  readonly name: string;
  readonly source: DataSource<Transaction>;
  readonly isolation: Isolation;
  readonly isReadOnly: boolean;
  readonly body: (transaction: Transaction) => unknown;
}

const maxConflicts = 20;
const [longestConflictMs, longestOutageMs] = [256, 2_000];

/** Calls a transactional step in a run. */
export function runTransactionIn<Transaction>(
  run: Run,
  definition: TransactionDefinition<Transaction>,
): Promise<unknown> {
  return run.delivery.call({
    kind: 'transaction',
    name: definition.name,
    begin: (call) => run.effect(() => void execute(run, definition, call)),
  });
}

async function execute<Transaction>(
  run: Run,
  definition: TransactionDefinition<Transaction>,
  call: Call,
): Promise<void> {
  run.executing += 1;
  let result: Result | undefined;
  try {
    result = await attemptUntilDecided(run, definition, call);
  } catch (error) {
    result = { error: encodeError(error) };
  } finally {
    run.executing -= 1;
  }
  crashPoint(`transaction:${definition.name}`);
  if (result === undefined) run.host.lost(run);
  else run.delivery.complete(call, result);
  run.wake();
}

// Serialization failures and deadlocks are the database's way to say "again": nothing was written. A commit whose answer is lost
// says nothing: its error is no result before the database has told that nothing was written. Undefined: it cannot be asked here.
async function attemptUntilDecided<Transaction>(
  run: Run,
  definition: TransactionDefinition<Transaction>,
  call: Call,
): Promise<Result | undefined> {
  const { isOver } = run.host.persistence('asking for a transaction');
  let isInDoubt = false;
  for (let failures = 1, longestMs = 2; ; longestMs *= 2) {
    try {
      return await attempt(run, definition, { call, isInDoubt });
    } catch (error) {
      const isUndecided = error instanceof InDoubt || isConflict(error);
      isInDoubt ||= error instanceof InDoubt;
      const isOutage = isInDoubt && isLost(error) && !isUndecided;
      if (!isOutage && (failures++ >= maxConflicts || !isUndecided)) throw reasonOf(error);
      if (isInDoubt && (!run.isActive || isOver())) return undefined;
      const boundMs = isOutage ? longestOutageMs : longestConflictMs;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(longestMs, boundMs)));
    }
  }
}

// Undefined: the claim does not hold any more, and everything was rolled back.
async function attempt<Transaction>(
  run: Run,
  { name, source, isolation, isReadOnly, body }: TransactionDefinition<Transaction>,
  { call, isInDoubt }: { readonly call: Call; readonly isInDoubt: boolean },
): Promise<Result | undefined> {
  const key: TransactionKey = { runId: run.id, name, occurrence: call.occurrence };
  const claimant = source.isEngineDatabase ? { epoch: run.epoch, executor: run.host.executorId } : undefined;
  const context = { run, step: new TransactionContext(run, name) };
  let isWritten = false;
  try {
    return await source.transaction({ isolation, isReadOnly }, async (transaction) => {
      const query = source.use(transaction);
      // Otherwise it cannot have committed and not been recorded.
      const mayBeThere = (run.epoch > 1 || isInDoubt) && !isReadOnly;
      const earlier = mayBeThere ? await findTransactionResult(query, source.schema, key) : undefined;
      if (earlier !== undefined) return toResult(earlier.output);
      const value = await withContext(context, () => body(transaction));
      const what = `the result of transaction "${name}" of run ${run.id}`;
      const output = encodeResult(value, what, run.host.maxPayloadBytes);
      if (isReadOnly) return toResult(output);
      isWritten = await insertTransactionResult(query, source.schema, { key, output, claimant });
      if (isWritten) return toResult(output);
      throw new LostRace();
    });
  } catch (error) {
    if (isWritten && isLost(error)) throw new InDoubt('the answer to the commit is lost', { cause: error });
    // A commit that is late collides with its own repetition, if the writes are unique.
    if (!(error instanceof LostRace || (isInDoubt && !isLost(error)))) throw error;
    const found = await findCommitted(source, key);
    if (found === undefined && !(error instanceof LostRace)) throw error;
    return found;
  } finally {
    context.step.end();
  }
}

// Somebody else has committed this step, or the claim is gone. What is committed counts.
async function findCommitted<Transaction>(
  source: DataSource<Transaction>,
  key: TransactionKey,
): Promise<Result | undefined> {
  const options = { isolation: 'read committed', isReadOnly: true } as const;
  try {
    const found = await source.transaction(options, (transaction) =>
      findTransactionResult(source.use(transaction), source.schema, key),
    );
    return found === undefined ? undefined : toResult(found.output);
  } catch (error) {
    throw isLost(error) ? new InDoubt('what has committed cannot be asked for', { cause: error }) : error;
  }
}

/** Nobody knows whether the transaction has committed; never leaves this file. */
class InDoubt extends Error {}

/** Rolls the transaction back; never leaves this file. */
class LostRace extends Error {}

/** What `currentStep()` gives inside of a transaction. */
class TransactionContext implements StepContext {
  readonly name: string;
  readonly attempt = 1;
  readonly maxAttempts = 1;
  readonly #abort = new AbortController();
  readonly #forget: () => void;

  constructor(run: Run, name: string) {
    this.name = name;
    this.#forget = run.onAbort((reason: PerdureError) => this.#abort.abort(reason));
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  end(): void {
    this.#forget();
  }
}

function toResult(output: string | undefined): Result {
  return output === undefined ? {} : { output };
}

function reasonOf(error: unknown): unknown {
  return error instanceof InDoubt ? error.cause : error;
}

// ORMs wrap the driver's error.
function codesOf(error: unknown): readonly string[] {
  const cause = error instanceof Error ? error.cause : undefined;
  return [codeOf(error), codeOf(cause)].filter((code) => code !== undefined);
}

// What has no code at all is the connection's, as with the driver; P1017 is Prisma's word for that.
function isLost(error: unknown): boolean {
  return codesOf(error).every((code) => code === 'P1017' || kindOf({ code }) === 'lost');
}

function isConflict(error: unknown): boolean {
  return codesOf(error).some((code) => code === '40001' || code === '40P01' || code === 'P2034');
}
