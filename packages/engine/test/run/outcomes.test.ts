// Who is told which outcome.

import { expect, test } from '@jest/globals';
import { Outcomes } from '../../src/run/outcomes.js';
import type { Outcome } from '../../src/run/run-host.js';
import type { RunId } from '../../src/values/ids.js';

const id = 'order-7' as RunId;
const succeeded: Outcome = { status: 'succeeded', output: '1', error: undefined };

interface Bench {
  readonly outcomes: Outcomes;
  readonly local: Set<RunId>;
  readonly told: (Outcome | undefined)[];
  readonly tell: (outcome: Outcome | undefined) => void;
  /** How often it was asked to watch. */
  readonly watches: () => number;
}

function bench(): Bench {
  const local = new Set<RunId>();
  const told: (Outcome | undefined)[] = [];
  let watches = 0;
  const outcomes = new Outcomes(
    (run) => local.has(run),
    () => (watches += 1),
  );
  return { outcomes, local, told, tell: (outcome) => void told.push(outcome), watches: () => watches };
}

test('everybody who waits for a run is told once', () => {
  const { outcomes, told, tell } = bench();
  outcomes.on(id, tell);
  outcomes.on(id, tell);

  outcomes.tell(id, succeeded);
  outcomes.tell(id, succeeded);

  expect(told).toEqual([succeeded, succeeded]);
  expect(outcomes.watched).toEqual([]);
});

test('an answer of the database tells nothing to those who wait since it was asked for', () => {
  const { outcomes, told, tell } = bench();
  outcomes.on(id, () => undefined);
  const { count } = outcomes;
  outcomes.on(id, tell);

  outcomes.tell(id, undefined, count); // it did not exist when the database was asked

  expect(told).toEqual([]);
  expect(outcomes.watched).toEqual([id]);
  outcomes.tell(id, succeeded, outcomes.count);
  expect(told).toEqual([succeeded]);
});

test('who has stopped waiting is not told, and nobody watches for them', () => {
  const { outcomes, told, tell } = bench();
  const stop = outcomes.on(id, tell);

  stop();
  outcomes.tell(id, succeeded);

  expect(told).toEqual([]);
  expect(outcomes.watched).toEqual([]);
});

test('a run is watched for only while it is not in this process', () => {
  const { outcomes, local, tell, watches } = bench();
  local.add(id);
  outcomes.on(id, tell);
  const early = [watches(), outcomes.watched];

  local.delete(id);
  outcomes.left(id);

  expect(early).toEqual([0, []]);
  expect([watches(), outcomes.watched]).toEqual([1, [id]]);
});
