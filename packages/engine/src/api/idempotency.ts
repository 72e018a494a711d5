// Starting at most once for each key of a caller.

import type { IdempotencyKey } from '../store/idempotency-keys.js';
import { parseDuration, type Duration } from '../values/duration.js';
import { PerdureError } from '../values/errors.js';
import { checkName } from '../values/ids.js';
import { refuseUnknown } from '../values/unknown-options.js';

/** A start that may be asked for again. */
export interface Idempotent {
  /** What the caller calls this start: the same key gives the handle of the run that was started with it. */
  readonly idempotency?: {
    /** 1 to 255 printable characters, the same for all workflows: make it distinct per caller. */
    readonly key: string;
    /** A digest of what is asked for. The same key with another one: IDEMPOTENCY_KEY_REUSED. */
    readonly fingerprint: string;
    /** How long the key stands for the run, from its start and at least until its end. It ends with the run's row as well. Default: 24h. */
    readonly keepFor?: Duration | undefined;
  };
}

/** Throws NAME_INVALID, OPTION_INVALID, DURATION_INVALID. */
export function idempotencyOf({ idempotency }: Idempotent): IdempotencyKey | undefined {
  if (idempotency === undefined) return undefined;
  refuseUnknown(idempotency, { key: true, fingerprint: true, keepFor: true }, 'idempotency keys');
  const { key, fingerprint, keepFor = '24h' } = idempotency;
  return {
    key: checkName('idempotency key', key),
    fingerprint: checkName('fingerprint', fingerprint),
    keepForMs: parseDuration(keepFor, 'idempotency.keepFor'),
  };
}

/** Throws OPTION_INVALID for a key in workflow code, whose starts are recorded, and in a transaction, with which they stand and fall. */
export function refuseKey({ idempotency }: Idempotent): void {
  if (idempotency === undefined) return;
  const reason =
    'in workflow code and in transactions a start happens once by itself; give it an id for others to find it';
  throw new PerdureError('OPTION_INVALID', { option: 'idempotency', value: idempotency.key, reason });
}
