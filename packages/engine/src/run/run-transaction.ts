// A transactional step: what it writes and the fact that it has commit together, so it happens exactly once. After a crash
// between that commit and the checkpoint, the result is found in the transaction's own database.

import { codeOf } from '../store/failures.js';
import {
  findTransactionResult,
  insertTransactionResult,
  type RawQuery,
  type TransactionKey,
} from '../store/transactions.js';
import type { PerdureError } from '../values/errors.js';
import { encode, encodeError } from '../values/serialize.js';
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

// Serialization failures and deadlocks are the database's way to say "again": nothing was written.
async function attemptUntilDecided<Transaction>(
  run: Run,
  definition: TransactionDefinition<Transaction>,
  call: Call,
): Promise<Result | undefined> {
  for (let conflict = 1; ; conflict++) {
    try {
      return await attempt(run, definition, call);
    } catch (error) {
      if (conflict >= maxConflicts || !isConflict(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 ** Math.min(conflict, 8)));
    }
  }
}

// Undefined: the claim does not hold any more, and everything was rolled back.
async function attempt<Transaction>(
  run: Run,
  { name, source, isolation, isReadOnly, body }: TransactionDefinition<Transaction>,
  call: Call,
): Promise<Result | undefined> {
  const key: TransactionKey = { runId: run.id, name, occurrence: call.occurrence };
  const claimant = source.isEngineDatabase ? { epoch: run.epoch, executor: run.host.executorId } : undefined;
  const context = { run, step: new TransactionContext(run, name) };
  try {
    return await source.transaction({ isolation, isReadOnly }, async (transaction) => {
      const query = source.use(transaction);
      // Only a run that has been claimed before can have committed this step and not recorded it.
      const earlier = run.epoch > 1 && !isReadOnly ? await findTransactionResult(query, source.schema, key) : undefined;
      if (earlier !== undefined) return toResult(earlier.output);
      const value = await withContext(context, () => body(transaction));
      const output =
        value === undefined ? undefined : encode(value, `the result of transaction "${name}" of run ${run.id}`);
      if (isReadOnly || (await insertTransactionResult(query, source.schema, { key, output, claimant })))
        return toResult(output);
      throw new LostRace();
    });
  } catch (error) {
    if (!(error instanceof LostRace)) throw error;
    return findCommitted(source, key);
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
  const found = await source.transaction(options, (transaction) =>
    findTransactionResult(source.use(transaction), source.schema, key),
  );
  return found === undefined ? undefined : toResult(found.output);
}

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

function isConflict(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined; // ORMs wrap the driver's error
  return [codeOf(error), codeOf(cause)].some((code) => code === '40001' || code === '40P01' || code === 'P2034');
}
