'use client';
// How the page stands with the server, and the button that kills it.

import type { Connection } from '@perdure/next/client';
import { useState } from 'react';

const words: Readonly<Record<Connection, string>> = {
  idle: 'Nothing to follow.',
  connecting: 'Connecting…',
  live: 'Live. Reload the page or kill the server: the run goes on where it was.',
  reconnecting: 'The server is away. Everything up to here is recorded; this page goes on by itself.',
  ended: 'Over. All of it is on record.',
  refused: 'The server does not show this run.',
};

export function ServerCard({
  id,
  connection,
  mayKill,
}: {
  readonly id: string;
  readonly connection: Connection;
  readonly mayKill: boolean;
}) {
  const [isPressed, setPressed] = useState(false);
  const kill = async (): Promise<void> => {
    setPressed(true);
    await fetch('/api/kill', { method: 'POST' }).catch(() => undefined);
    setTimeout(() => setPressed(false), 3_000);
  };
  return (
    <footer className={`server ${connection}`}>
      <p>
        <span className="dot" aria-hidden="true" />
        <span role="status">{words[connection]}</span>
      </p>
      {mayKill && connection !== 'ended' ? (
        <button
          className="quiet danger"
          type="button"
          disabled={isPressed || connection !== 'live'}
          onClick={() => void kill()}
        >
          Kill the server
        </button>
      ) : null}
      <p className="id">Run {id}</p>
    </footer>
  );
}
