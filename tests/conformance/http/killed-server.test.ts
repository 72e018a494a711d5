// A server that is killed with SIGKILL in the middle of a run, and what its clients notice of it.

import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import { createTestDatabase, spawnProcess, waitFor, type SpawnedProcess } from '@perdure/testing';
import { EventSource } from 'eventsource';
import { post, runUrl } from './client.js';

jest.setTimeout(60_000);

const program = fileURLToPath(new URL('./programs/server.ts', import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a client misses and repeats nothing when the server is killed, and its retried start finds the run', async () => {
  const database = await createTestDatabase({ prefix: 'perdure_http' });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const serve = async (): Promise<SpawnedProcess> => {
    const child = spawnProcess(program, { args: [database.url, String(port)] });
    await child.line(/listening/, { timeoutMs: 30_000 });
    return child;
  };
  const key = { 'idempotency-key': '"one"' };
  const first = await serve();
  const started = await post(`${url}/start/job`, null, key);
  const seen: unknown[] = [];
  const source = new EventSource(runUrl(url, String(started.body['id']), '/events'));
  source.addEventListener('event', ({ data }) => seen.push(JSON.parse(String(data))));
  const ended = new Promise<unknown>((resolve) => {
    source.addEventListener('status', ({ data }) => String(data).includes('"isFinal":true') && resolve(data));
  });

  await waitFor(() => seen.length, { what: 'some progress', until: (count) => count >= 3 });
  first.kill('SIGKILL');
  await first.exited;
  const second = await serve();
  const retried = await post(`${url}/start/job`, null, { ...key, prefer: 'wait=30' });

  expect(await ended).toBe('{"status":"succeeded","isFinal":true,"output":"done"}');
  expect(seen).toEqual(Array.from({ length: 10 }, (_, value) => ({ name: 'progress', value })));
  expect(retried.body).toMatchObject({ id: started.body['id'], output: 'done' });
  expect(retried.headers.get('idempotency-replayed')).toBe('true');
  source.close();
  second.kill('SIGKILL');
  await second.exited;
  await database.drop();
});
