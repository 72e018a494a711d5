// The way out: a Response of the fetch API is sent over Express's response, streams as they come.

import { once } from 'node:events';
import type { Response as ExpressResponse } from 'express';

/** Sends it. Resolves when it is sent, or its receiver has gone. */
export async function sendWebResponse(response: Response, res: ExpressResponse): Promise<void> {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) if (name !== 'set-cookie') res.setHeader(name, value);
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) res.setHeader('set-cookie', cookies);
  if (response.body === null) res.end();
  else if (isStream(response)) await sendStream(response.body, res);
  else res.end(Buffer.from(await response.arrayBuffer()));
}

function isStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') === true;
}

async function sendStream(body: ReadableStream<Uint8Array>, res: ExpressResponse): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const reader = body.getReader();
  gone.signal.addEventListener('abort', () => void reader.cancel().catch(() => undefined));
  res.flushHeaders();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || gone.signal.aborted) break;
      const isDrained = res.write(value);
      flush(res);
      if (!isDrained) await once(res, 'drain', { signal: gone.signal });
    }
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    res.end();
  }
}

// Compression holds back what does not fill a block yet.
function flush(res: ExpressResponse): void {
  const method: unknown = Reflect.get(res, 'flush');
  if (typeof method === 'function') Reflect.apply(method, res, []);
}
