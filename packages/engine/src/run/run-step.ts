// One step of a run: find it recorded, or execute it and record what it returned or threw. Attempts, their timeouts and
// the waits between them are here. A failed attempt is durable before the next one is awaited.

import { AsyncResource } from 'node:async_hooks';
import { delayBeforeAttemptMs, type RetryPolicy } from '../values/backoff.js';
import { recordable } from '../values/control-flow.js';
import { isPerdureError, PerdureError } from '../values/errors.js';
import { crashPoint } from '../values/process-state.js';
import { encodeResult } from '../values/payload.js';
import { decodeError, encodeError } from '../values/serialize.js';
import type { Clock } from './clock.js';
import { withContext, type StepContext } from './context.js';
import type { Call, Result } from './call.js';
import type { Run } from './run.js';

/** A step as it was defined. */
export interface StepDefinition {
  readonly name: string;
  /** A former name, under which runs in flight may have recorded it. */
  readonly formerly: string | undefined;
  readonly retry: RetryPolicy;
  /** Per attempt. */
  readonly timeoutMs: number | undefined;
}

/** The user function of a step. */
export interface StepBody {
  readonly call: () => unknown;
  /** What it is called with; recorded nowhere. */
  readonly args: readonly unknown[];
}

/** Calls a step in a run. Its result is durable before any user function of the run starts after it. */
export function runStepIn(run: Run, definition: StepDefinition, body: StepBody): Promise<unknown> {
  const { name, formerly } = definition;
  // An attempt begins in a callback of a commit or a timer; what the caller keeps in storages of its own must be there too.
  // AsyncLocalStorage.snapshot() does the same, for 14 µs in place of 0.1 (Node 20).
  const caller = new AsyncResource('PerdureStep');
  return run.delivery.call({
    kind: 'step',
    name,
    formerly,
    begin: (call) => new StepExecution(run, definition, { body, caller }, call).begin(),
  });
}

interface StepWork {
  readonly body: StepBody;
  /** The asynchronous context of the step's call. */
  readonly caller: AsyncResource;
}

class StepExecution {
  readonly #run: Run;
  readonly #definition: StepDefinition;
  readonly #work: StepWork;
  readonly #call: Call;
  readonly #errors: unknown[];

  constructor(run: Run, definition: StepDefinition, work: StepWork, call: Call) {
    this.#run = run;
    this.#definition = definition;
    this.#work = work;
    this.#call = call;
    this.#errors = [];
  }

  /** Starts with the attempt after the last recorded one, at its time. */
  begin(): void {
    const failed = this.#run.attemptsOf(this.#call);
    this.#errors.push(...failed.map(({ error }) => decodeError(error)));
    const nextAtMs = failed.at(-1)?.nextAtMs;
    if (nextAtMs === undefined) this.#run.effect(() => void this.#attempt(1));
    else this.#waitUntil(nextAtMs, failed.length + 1);
  }

  async #attempt(attempt: number): Promise<void> {
    const run = this.#run;
    run.executing += 1;
    let result: Result | undefined;
    try {
      result = await this.#execute(attempt);
    } catch (err) {
      run.host.logger.error({ err, runId: run.id, step: this.#definition.name }, 'a failed attempt was not recorded');
      run.host.lost(run, true);
    } finally {
      run.executing -= 1;
    }
    crashPoint(`step:${this.#definition.name}`);
    if (result !== undefined) run.delivery.complete(this.#call, result);
    run.wake();
  }

  // The result to record, or undefined when another attempt will follow or the run is gone.
  async #execute(attempt: number): Promise<Result | undefined> {
    const control = new AttemptControl(this.#run, this.#definition, attempt);
    const { body, caller } = this.#work;
    const work = this.#surrounded(body, attempt);
    const inRun = (): unknown => withContext({ run: this.#run, step: control }, work);
    const attempted = (): unknown => caller.runInAsyncScope(inRun);
    try {
      const value = await control.race(attempted);
      return this.#toResult(value);
    } catch (error) {
      return this.#run.isActive ? await this.#failed(attempt, error) : undefined;
    } finally {
      control.end();
    }
  }

  #surrounded({ call, args }: StepBody, attempt: number): () => unknown {
    const { host, id: runId, seed } = this.#run;
    const { aroundStep } = host.options;
    if (aroundStep === undefined) return call;
    const { name: step } = this.#definition;
    return () => aroundStep({ runId, workflow: seed.definition.name, step, attempt, args }, call);
  }

  // A value that cannot be stored is the step's error, however many attempts are left: what the step does is done.
  #toResult(value: unknown): Result {
    const what = `the result of step "${this.#definition.name}" of run ${this.#run.id}`;
    try {
      const output = encodeResult(value, what, this.#run.host.maxPayloadBytes);
      return output === undefined ? {} : { output };
    } catch (error) {
      return { error: encodeError(error) };
    }
  }

  async #failed(attempt: number, thrown: unknown): Promise<Result | undefined> {
    const { retry, name } = this.#definition;
    const error = recordable(thrown, `step "${name}" of run ${this.#run.id}`);
    this.#errors.push(error);
    if (retry.maxAttempts === 1 || isPerdureError(error, 'CONTROL_FLOW_IN_RUN')) return { error: encodeError(error) };
    const verdict = await this.#mayRetry(error, attempt);
    if ('final' in verdict) return { error: encodeError(verdict.final) };
    if (attempt >= retry.maxAttempts) {
      const options = { cause: error, errors: this.#errors };
      return {
        error: encodeError(new PerdureError('STEP_RETRIES_EXHAUSTED', { step: name, attempts: attempt }, options)),
      };
    }
    const delayMs = delayBeforeAttemptMs(retry, attempt + 1, Math.random());
    const { host, id: runId, epoch } = this.#run;
    const { occurrence } = this.#call;
    const failure = { runId, epoch, name, occurrence, attempt, error: encodeError(error), delayMs };
    const nextAtMs = await host.exchange.recordAttempt(failure);
    if (nextAtMs === undefined) host.lost(this.#run);
    else if (this.#run.isActive) {
      const fields = {
        runId,
        step: name,
        attempt,
        maxAttempts: retry.maxAttempts,
        nextInMs: Math.round(delayMs),
        err: error,
      };
      host.logger.info(fields, 'an attempt of a step has failed; it is tried again');
      this.#waitUntil(nextAtMs, attempt + 1);
    }
    return undefined;
  }

  async #mayRetry(error: unknown, attempt: number): Promise<{ final: unknown } | { again: true }> {
    const { shouldRetry } = this.#definition.retry;
    if (shouldRetry === undefined) return { again: true };
    try {
      return (await shouldRetry(error, attempt)) ? { again: true } : { final: error };
    } catch (verdict) {
      return { final: verdict };
    }
  }

  // The wait for the next attempt is a wait as any other: when it is long, the run leaves memory.
  #waitUntil(atMs: number, attempt: number): void {
    const run = this.#run;
    this.#call.waitsUntilMs = atMs;
    const cancel = run.host.clock.at(atMs, () => {
      forget();
      this.#call.waitsUntilMs = undefined;
      run.effect(() => void this.#attempt(attempt));
    });
    const forget = run.onAbort(cancel);
  }
}

/** One attempt's context and what can end it early. */
class AttemptControl implements StepContext {
  readonly name: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly #timeoutMs: number | undefined;
  readonly #forget: () => void;
  #abort: AbortController | undefined;
  #abortReason: PerdureError | undefined;
  readonly #clock: Clock;
  #cancelTimeout: (() => void) | undefined;

  constructor(run: Run, { name, retry, timeoutMs }: StepDefinition, attempt: number) {
    this.name = name;
    this.attempt = attempt;
    this.maxAttempts = retry.maxAttempts;
    this.#timeoutMs = timeoutMs;
    this.#clock = run.host.clock;
    this.#forget = run.onAbort((reason) => {
      this.end(); // the body may ignore its signal and go on for ever
      this.#fire(reason);
    });
  }

  // Made when it is first asked for: most steps never do.
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#abortReason !== undefined) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  /** The body's result, or STEP_TIMED_OUT. What comes from the body after that is dropped. */
  race(body: () => unknown): unknown {
    const timeoutMs = this.#timeoutMs;
    if (timeoutMs === undefined) return body();
    const work = Promise.resolve().then(body);
    work.catch(() => undefined); // a late rejection is nobody's
    const timeout = new Promise<never>((_, reject) => {
      this.#cancelTimeout = this.#clock.at(this.#clock.now() + timeoutMs, () => {
        const error = new PerdureError('STEP_TIMED_OUT', { step: this.name, timeoutMs });
        reject(error);
        this.#fire(error);
      });
    });
    return Promise.race([work, timeout]);
  }

  end(): void {
    this.#cancelTimeout?.();
    this.#forget();
  }

  #fire(reason: PerdureError): void {
    this.#abortReason = reason;
    this.#abort?.abort(reason);
  }
}
