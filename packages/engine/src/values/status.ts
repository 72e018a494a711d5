// The states of a run and the moves between them, in one table that code, SQL guards and tests read.
// Everything imports this; it imports nothing.

/** The state of a run, the same word in TypeScript, SQL, HTTP and the docs. */
export type RunStatus = 'queued' | 'running' | 'waiting' | 'paused' | 'succeeded' | 'failed' | 'cancelled';

/** A state that a run leaves only by an explicit resume. */
export type FinalStatus = 'succeeded' | 'failed' | 'cancelled';

/** What moves a run from one state to another. */
export type Transition = 'claim' | 'park' | 'release' | 'recover' | 'succeed' | 'fail' | 'cancel' | 'pause' | 'resume';

const unfinished = ['queued', 'running', 'waiting', 'paused'] as const;

/** The allowed moves: from which states each transition may start, and where it leads. */
export const transitions: Readonly<
  Record<Transition, { readonly from: readonly RunStatus[]; readonly to: RunStatus }>
> = {
  claim: { from: ['queued', 'waiting'], to: 'running' },
  park: { from: ['running'], to: 'waiting' },
  release: { from: ['running'], to: 'waiting' },
  recover: { from: ['running'], to: 'waiting' },
  succeed: { from: ['running'], to: 'succeeded' },
  fail: { from: ['running'], to: 'failed' },
  cancel: { from: unfinished, to: 'cancelled' },
  pause: { from: ['queued', 'running', 'waiting'], to: 'paused' },
  resume: { from: ['paused', 'failed', 'cancelled'], to: 'queued' },
};

/** Every state, in the order in which a run usually meets them. */
export const runStatuses: readonly RunStatus[] = [...unfinished, 'succeeded', 'failed', 'cancelled'];

/** Whether a run in this state has its outcome. */
export function isFinal(status: RunStatus): status is FinalStatus {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled';
}

/** Narrows text that came from outside to a status, or finds nothing. */
export function findStatus(text: string): RunStatus | undefined {
  return runStatuses.find((status) => status === text);
}

/** Whether `transition` may start from `status`. */
export function mayMove(status: RunStatus, transition: Transition): boolean {
  return transitions[transition].from.includes(status);
}
