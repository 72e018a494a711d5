'use client';
// One refund, live: what the customer wrote, what the agent found and proposes, the decision, and the answer.

import { createPerdureClient, useRun, type RunState } from '@perdure/next/client';
import Link from 'next/link';
import { useState } from 'react';
import type { decided, found, proposed, refund, words } from '../lib/refund';
import { Countdown } from './countdown';
import { ServerCard } from './server-card';
import { StatusPill } from './status-pill';

interface Refund {
  readonly workflow: typeof refund;
  readonly events: {
    readonly order: typeof found;
    readonly proposal: typeof proposed;
    readonly decision: typeof decided;
  };
  readonly streams: { readonly words: typeof words };
}

interface RefundProps {
  readonly id: string;
  readonly orderId: string;
  readonly complaint: string;
  readonly mayKill: boolean;
}

export function RefundView({ id, orderId, complaint, mayKill }: RefundProps) {
  const run = useRun<Refund>(id);
  const { order, proposal, decision } = run.events;
  const isYours = proposal !== undefined && decision === undefined && !run.isFinal;
  const proposalText = textOf(run, 'proposal');
  const replyText = textOf(run, 'reply');
  return (
    <article className="narrow">
      <p className="back">
        <Link href="/">← All requests</Link>
      </p>
      <div className="title">
        <h1>{order === undefined ? `Order ${orderId}` : order.item}</h1>
        <StatusPill status={run.status} text={isYours ? 'Waiting for you' : undefined} />
      </div>
      <p className="visually-hidden" role="status">
        {summaryOf(run, isYours)}
      </p>
      <ol className="talk">
        <li className="turn customer">
          <h2>{order?.customer ?? 'Customer'}</h2>
          <p>{complaint}</p>
        </li>
        <li className="turn tool">
          <h2>Looked up order {orderId}</h2>
          {order === undefined ? (
            <p className="muted">Looking…</p>
          ) : (
            <dl>
              <div>
                <dt>Paid</dt>
                <dd>{euros(order.cents)}</dd>
              </div>
              <div>
                <dt>Delivered</dt>
                <dd>{order.daysAgo} days ago</dd>
              </div>
              <div>
                <dt>Customer</dt>
                <dd>{order.customer}</dd>
              </div>
            </dl>
          )}
        </li>
        {proposalText !== '' && (
          <AgentTurn name="Agent" text={proposalText} isWriting={proposal === undefined && run.connection === 'live'} />
        )}
        {proposal !== undefined && (
          <li>
            <Decision id={id} run={run} isYours={isYours} />
          </li>
        )}
        {replyText !== '' && (
          <AgentTurn name="Agent, to the customer" text={replyText} isWriting={run.connection === 'live'} />
        )}
      </ol>
      <Ending run={run} />
      <ServerCard id={id} connection={run.connection} mayKill={mayKill} />
    </article>
  );
}

function AgentTurn({
  name,
  text,
  isWriting,
}: {
  readonly name: string;
  readonly text: string;
  readonly isWriting: boolean;
}) {
  return (
    <li className="turn agent">
      <h2>{name}</h2>
      <p>
        {text}
        {isWriting && <span className="caret" aria-hidden="true" />}
      </p>
    </li>
  );
}

function Decision({
  id,
  run,
  isYours,
}: {
  readonly id: string;
  readonly run: RunState<Refund>;
  readonly isYours: boolean;
}) {
  const [sent, setSent] = useState<boolean>();
  const [refusal, setRefusal] = useState<string>();
  const { proposal, decision } = run.events;
  if (proposal === undefined) return null;
  const decide = async (approved: boolean): Promise<void> => {
    setSent(approved);
    setRefusal(undefined);
    try {
      await createPerdureClient().send(id, 'approval', { approved });
    } catch {
      setSent(undefined);
      setRefusal('That did not reach the server. Please try again.');
    }
  };
  if (!isYours) return <p className="decided">{decision === undefined ? 'Nobody decided' : decisionIn(decision)}</p>;
  return (
    <section className="decision" aria-labelledby="decision-title">
      <div>
        <h2 id="decision-title">Pay back {euros(proposal.cents)}?</h2>
        <p>
          <Countdown until={proposal.decideBy} /> Until then this request costs nothing, and no restart forgets it.
        </p>
      </div>
      <div className="buttons">
        <button className="primary" type="button" disabled={sent !== undefined} onClick={() => void decide(true)}>
          {sent === true ? 'Approving…' : 'Approve'}
        </button>
        <button className="quiet" type="button" disabled={sent !== undefined} onClick={() => void decide(false)}>
          {sent === false ? 'Declining…' : 'Decline'}
        </button>
      </div>
      {refusal !== undefined && (
        <p className="refusal" role="alert">
          {refusal}
        </p>
      )}
    </section>
  );
}

function Ending({ run }: { readonly run: RunState<Refund> }) {
  const { result, status, failure } = run;
  if (result !== undefined) {
    const texts = {
      refunded: `Paid back ${euros(result.cents)}, once.`,
      declined: 'Declined. No money moved.',
      expired: 'Nobody decided in time. It went to a colleague.',
    };
    return <p className={`ending ${result.outcome === 'refunded' ? 'good' : 'calm'}`}>{texts[result.outcome]}</p>;
  }
  if (status === 'failed') return <p className="ending bad">It failed: {failure?.message ?? failure?.name}</p>;
  if (status === 'cancelled') return <p className="ending calm">Cancelled.</p>;
  return null;
}

// A turn that a crash has cut off begins again, so only what follows its last beginning counts.
function textOf({ streams }: RunState<Refund>, turn: 'proposal' | 'reply'): string {
  const mine = (streams.words ?? []).filter((word) => word.turn === turn);
  return mine
    .slice(mine.findLastIndex(({ isFirst }) => isFirst))
    .map(({ text }) => text)
    .join('');
}

function summaryOf({ status, isFinal }: RunState<Refund>, isYours: boolean): string {
  if (isYours) return 'The agent has made a proposal and waits for your decision.';
  if (isFinal) return `The request is over: ${status}.`;
  return status === undefined ? 'Connecting.' : 'The agent is working.';
}

function decisionIn(decision: { readonly approved: boolean } | { readonly expired: true }): string {
  if ('expired' in decision) return 'Nobody decided in time';
  return decision.approved ? 'You approved' : 'You declined';
}

function euros(cents: number): string {
  return `€${(cents / 100).toFixed(2)}`;
}
