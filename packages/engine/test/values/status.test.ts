import { expect, test } from '@jest/globals';
import {
  findStatus,
  isFinal,
  mayMove,
  runStatuses,
  transitions,
  type RunStatus,
  type Transition,
} from '../../src/values/status.js';

const names = Object.keys(transitions) as Transition[];

test('the states are these, each once', () => {
  expect(runStatuses).toEqual(['queued', 'running', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled']);
});

test('a run has its outcome in exactly three states', () => {
  expect(runStatuses.filter(isFinal)).toEqual(['succeeded', 'failed', 'cancelled']);
});

test('every state is reached by some transition', () => {
  const reached = new Set(names.map((name) => transitions[name].to));

  expect(runStatuses.filter((status) => !reached.has(status))).toEqual([]);
});

test('only a resume leads out of a state with an outcome', () => {
  const left = names.filter((name) => transitions[name].from.some(isFinal));

  expect(left).toEqual(['resume']);
});

test('a success is never taken back', () => {
  expect(names.filter((name) => mayMove('succeeded', name))).toEqual([]);
});

test('only the owner of a running run gives it an outcome other than a cancellation', () => {
  expect(transitions.succeed.from).toEqual(['running']);
  expect(transitions.fail.from).toEqual(['running']);
});

test('execution begins in one way only', () => {
  expect(names.filter((name) => transitions[name].to === 'running')).toEqual(['claim']);
});

test.each<[text: string, status: RunStatus | undefined]>([
  ['running', 'running'],
  ['succeeded', 'succeeded'],
  ['RUNNING', undefined],
  ['', undefined],
  ['constructor', undefined],
])('the text "%s" reads as the status %s', (text, status) => {
  expect(findStatus(text)).toBe(status);
});
