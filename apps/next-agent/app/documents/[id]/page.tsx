import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { DocumentView } from '../../../components/document-view';
import { perdure } from '../../../lib/perdure';
import { titleOf } from '../../../lib/title';

export const metadata: Metadata = { title: 'Text' };

export default async function DocumentPage({ params }: { readonly params: Promise<{ id: string }> }) {
  const { id } = await params;
  const run = await (await perdure.engine()).runs.get(id);
  if (run?.workflow !== 'index document') notFound();
  return <DocumentView id={id} title={titleOf(run, 'A text')} mayKill={process.env['MAY_KILL'] === '1'} />;
}
