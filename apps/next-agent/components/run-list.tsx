// What was asked for lately.

import Link from 'next/link';
import { perdure } from '../lib/perdure';
import { titleOf } from '../lib/title';
import { StatusPill } from './status-pill';

const places: Readonly<Record<string, { readonly path: string; readonly kind: string }>> = {
  refund: { path: '/refunds', kind: 'Refund' },
  'index document': { path: '/documents', kind: 'Text' },
};

export async function RunList() {
  const engine = await perdure.engine();
  const lists = await Promise.all(Object.keys(places).map((workflow) => engine.runs.list({ workflow, limit: 6 })));
  const runs = lists
    .flatMap((list) => list.runs)
    .sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime())
    .slice(0, 8);
  return (
    <section className="recent" aria-labelledby="recent-title">
      <h2 id="recent-title">Under way and done</h2>
      {runs.length === 0 ? (
        <p className="empty">Nothing yet. What you start above appears here, and stays through every restart.</p>
      ) : (
        <ul className="runs">
          {runs.map(({ id, workflow, status, attributes, createdAt }) => (
            <li key={id}>
              <Link href={`${places[workflow]?.path}/${id}`}>
                <span className="kind">{places[workflow]?.kind}</span>
                <span className="name">{titleOf({ attributes }, id)}</span>
                <time dateTime={createdAt.toISOString()}>{createdAt.toISOString().slice(11, 16)} UTC</time>
                <StatusPill status={status} />
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
