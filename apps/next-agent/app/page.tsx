// The desk: what can be asked for, and what is under way.

import { connection } from 'next/server';
import { RefundForm } from '../components/refund-form';
import { RunList } from '../components/run-list';
import { SubmitButton } from '../components/submit-button';
import { sampleText } from '../lib/samples';
import { listOrders } from '../lib/shop';
import { startIndexing } from './actions';

export default async function Desk() {
  await connection(); // shown as it is now, not as it was at build time
  const orders = await listOrders();
  return (
    <>
      <h1 className="visually-hidden">Support desk</h1>
      <div className="columns">
        <section className="panel" aria-labelledby="refund-title">
          <h2 id="refund-title">Ask for a refund</h2>
          <p className="lead">An agent looks into it and proposes. You decide before any money moves.</p>
          <RefundForm orders={orders} />
        </section>
        <section className="panel" aria-labelledby="document-title">
          <h2 id="document-title">Index a text</h2>
          <p className="lead">Cut into passages, read four at a time by whichever servers are there.</p>
          <form action={startIndexing} className="stack">
            <label className="field">
              Text
              <textarea name="text" rows={9} defaultValue={sampleText} />
            </label>
            <label className="field">
              Or a text file
              <input type="file" name="file" accept=".txt,.md,text/*" />
            </label>
            <SubmitButton waiting="Starting…">Index it</SubmitButton>
          </form>
        </section>
      </div>
      <RunList />
    </>
  );
}
