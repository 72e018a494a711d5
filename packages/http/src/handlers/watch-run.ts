// GET /runs/:id/events: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

import { isFinal, type RunChange } from 'perdure';
import { authorizeRun } from '../authorize.js';
import type { Call } from '../call.js';
import { eventStreamHeaders, type ServerSentEvent } from '../event-stream.js';
import { toJsonText } from '../plain-json.js';
import { outcomeOf } from '../run-view.js';

/**
 * What the run tells, from the beginning or behind Last-Event-ID. Ends with the run; who then connects again gets 204, which tells an
 * EventSource to stop. A process that is closing ends its streams without that, so that clients connect again elsewhere.
 */
export async function watchRun(call: Call): Promise<Response> {
  const { engine, streams, request, url, settings } = call;
  const from = request.headers.get('last-event-id') ?? url.searchParams.get('from') ?? undefined;
  if (streams.isClosed) return streams.goElsewhere();
  const { run, exposed } = await authorizeRun(call, { action: 'read' });
  if (request.method === 'HEAD') return new Response(null, { headers: eventStreamHeaders });
  const { events = [], streams: logs = [] } = exposed;
  const ending = new AbortController();
  const changes = engine.watch(run.id, { from, events, streams: logs, signal: ending.signal });
  // Who has seen something of a run that is not over may hear nothing for days, and is to know meanwhile that it is connected.
  const mayBeSilent = from !== undefined && !isFinal(run.status);
  const first = mayBeSilent ? undefined : await changes.next();
  if (first?.done === true) return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } });
  const sent = toEvents(first?.value, changes, settings.showErrors);
  return streams.open(sent, { ending, signal: request.signal, keepAliveMs: settings.keepAliveMs });
}

async function* toEvents(
  first: RunChange | undefined,
  rest: AsyncGenerator<RunChange>,
  showErrors: boolean,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  try {
    if (first !== undefined) yield toEvent(first, showErrors);
    for await (const change of rest) yield toEvent(change, showErrors);
  } finally {
    await rest.return(undefined);
  }
}

function toEvent(change: RunChange, showErrors: boolean): ServerSentEvent {
  const { kind, position, ...facts } = change;
  return {
    id: position,
    event: kind,
    data: toJsonText(change.kind === 'status' ? stateOf(change, showErrors) : facts),
  };
}

function stateOf(change: RunChange & { readonly kind: 'status' }, showErrors: boolean): object {
  return { status: change.status, isFinal: isFinal(change.status), ...outcomeOf(change, showErrors) };
}
