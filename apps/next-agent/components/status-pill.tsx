// The state of a run in a word, with a shape besides the colour.

import type { RunStatus } from 'perdure';

const words: Readonly<Record<RunStatus, { readonly text: string; readonly tone: string }>> = {
  queued: { text: 'In line', tone: 'calm' },
  running: { text: 'Working', tone: 'busy' },
  waiting: { text: 'Waiting', tone: 'attention' },
  paused: { text: 'Paused', tone: 'attention' },
  succeeded: { text: 'Done', tone: 'good' },
  failed: { text: 'Failed', tone: 'bad' },
  cancelled: { text: 'Cancelled', tone: 'calm' },
};

export function StatusPill({
  status,
  text,
}: {
  readonly status: RunStatus | undefined;
  readonly text?: string | undefined;
}) {
  const { text: usual, tone } = status === undefined ? { text: 'Connecting', tone: 'calm' } : words[status];
  return (
    <span className={`pill ${text === undefined ? tone : 'attention'}`}>
      <span className="dot" aria-hidden="true" />
      {text ?? usual}
    </span>
  );
}
