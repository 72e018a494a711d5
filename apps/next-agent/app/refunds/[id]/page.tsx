import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { RefundView } from '../../../components/refund-view';
import { perdure } from '../../../lib/perdure';
import type { RefundRequest } from '../../../lib/refund';

export const metadata: Metadata = { title: 'Refund' };

export default async function RefundPage({ params }: { readonly params: Promise<{ id: string }> }) {
  const { id } = await params;
  const run = await (await perdure.engine()).runs.get(id);
  if (run?.workflow !== 'refund') notFound();
  const { orderId, complaint } = run.input as RefundRequest;
  return <RefundView id={id} orderId={orderId} complaint={complaint} mayKill={process.env['MAY_KILL'] === '1'} />;
}
