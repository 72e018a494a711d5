'use server';
// What the forms do. Each starts a run and goes to its page.

import { redirect } from 'next/navigation';
import { indexDocument } from '../lib/documents';
import { perdure } from '../lib/perdure';
import { refund } from '../lib/refund';
import { findOrder } from '../lib/shop';
import { defaultPatience, sampleText } from '../lib/samples';

export async function startRefund(form: FormData): Promise<void> {
  const order = await findOrder(textOf(form, 'order'));
  if (order === undefined) redirect('/');
  const complaint = textOf(form, 'complaint') || 'It is not what I expected.';
  const input = { orderId: order.id, complaint, patience: process.env['PATIENCE'] ?? defaultPatience };
  const run = await perdure.startWorkflow(refund, input, {
    attributes: { title: `${order.customer} · ${order.item}` },
  });
  redirect(`/refunds/${run.id}`);
}

export async function startIndexing(form: FormData): Promise<void> {
  const given = form.get('file');
  const file = given instanceof File && given.size > 0 ? given : undefined;
  const text = (await file?.text()) ?? (textOf(form, 'text') || sampleText);
  const title = file?.name ?? text.slice(0, 60).replace(/\s+\S*$/, '…');
  const input = { title, text: text.slice(0, 200_000) };
  const run = await perdure.startWorkflow(indexDocument, input, { attributes: { title } });
  redirect(`/documents/${run.id}`);
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
