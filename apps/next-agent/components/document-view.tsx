'use client';
// One text on its way through the queue.

import { useRun } from '@perdure/next/client';
import Link from 'next/link';
import type { indexDocument, progress } from '../lib/documents';
import { ServerCard } from './server-card';
import { StatusPill } from './status-pill';

interface Indexing {
  readonly workflow: typeof indexDocument;
  readonly events: { readonly progress: typeof progress };
}

export function DocumentView({
  id,
  title,
  mayKill,
}: {
  readonly id: string;
  readonly title: string;
  readonly mayKill: boolean;
}) {
  const run = useRun<Indexing>(id);
  const { done = 0, total } = run.events.progress ?? {};
  const percent = total === undefined ? 0 : Math.round((100 * done) / Math.max(total, 1));
  return (
    <article className="narrow">
      <p className="back">
        <Link href="/">← All requests</Link>
      </p>
      <div className="title">
        <h1>{title}</h1>
        <StatusPill status={run.status === 'waiting' ? 'running' : run.status} />
      </div>
      <section className="panel" aria-labelledby="progress-title">
        <h2 id="progress-title">Passages</h2>
        <div className="bar">
          <progress aria-labelledby="progress-title" value={total === undefined ? undefined : done} max={total ?? 1} />
          <span className="percent">{percent} %</span>
        </div>
        <p className="muted">{total === undefined ? 'Cutting the text…' : `${done} of ${total} read`}</p>
        <p className="visually-hidden" role="status">
          {run.isFinal ? 'Indexing is over.' : `About ${Math.floor(percent / 25) * 25} percent`}
        </p>
      </section>
      {run.result !== undefined && (
        <section className="panel" aria-labelledby="result-title">
          <h2 id="result-title">What it is about</h2>
          <p className="muted">
            {run.result.passages} passages, {run.result.words} words
          </p>
          <ul className="terms">
            {run.result.terms.map((term) => (
              <li key={term}>{term}</li>
            ))}
          </ul>
        </section>
      )}
      {run.status === 'failed' && <p className="ending bad">It failed: {run.failure?.message ?? run.failure?.name}</p>}
      <ServerCard id={id} connection={run.connection} mayKill={mayKill} />
    </article>
  );
}
