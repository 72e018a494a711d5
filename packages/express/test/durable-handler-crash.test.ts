// A durable handler whose process is killed at each of its points: the same request gets its response from another process, and nothing
// has happened twice.

import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawnProcess, waitFor, type SpawnedProcess } from '@perdure/testing';
import { useApplications } from './support/application.js';

jest.setTimeout(60_000);

const db = useApplications();
const children: SpawnedProcess[] = [];

beforeAll(async () => {
  await db.query('create table effects (step text not null, order_id text not null, pid int not null)');
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.splice(0).map((child) => child.exited));
});

describe.each(['5', '4'])('Express %s: a handler whose process is killed', (version) => {
  test.each([
    'before the first step',
    'between steps',
    'after the last step',
    'before the response is recorded',
    'before the response is sent',
  ])('%s responds to the same request from another process, with each effect once', async (point) => {
    const order = `${version}, ${point}`;
    const first = await startShop({ EXPRESS: version, DIE_AT: point });
    await expect(send(first.url, order)).rejects.toThrow('fetch failed');
    expect(await first.child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const second = await startShop({ EXPRESS: version });

    const response = await send(second.url, order);

    expect([response.status, response.headers.get('x-order')]).toEqual([201, order]);
    expect(response.headers.get('idempotency-replayed')).toBe('true');
    expect(await response.json()).toEqual({ charged: `charge of ${order}`, shipped: `ship of ${order}` });
    expect(await effectsOf(order)).toEqual(['charge', 'ship']);
  });

  test('goes on in another process before anybody asks', async () => {
    const order = `${version}, unasked`;
    const first = await startShop({ EXPRESS: version, DIE_AT: 'between steps' });
    await expect(send(first.url, order)).rejects.toThrow('fetch failed');
    await startShop({ EXPRESS: version });

    const steps = await waitFor(() => effectsOf(order), { what: 'both effects', until: (found) => found.length >= 2 });

    expect(steps).toEqual(['charge', 'ship']);
  });
});

async function startShop(env: Readonly<Record<string, string>>): Promise<{ url: string; child: SpawnedProcess }> {
  const program = fileURLToPath(new URL('programs/shop.ts', import.meta.url));
  const child = spawnProcess(program, { env: { ...env, DATABASE_URL: db.url } });
  children.push(child);
  const { port } = await child.message('listening', { timeoutMs: 20_000 });
  return { url: `http://127.0.0.1:${String(port)}`, child };
}

function send(url: string, order: string): Promise<Response> {
  return fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': JSON.stringify(order) },
    body: JSON.stringify({ order }),
  });
}

async function effectsOf(order: string): Promise<readonly string[]> {
  const rows = await db.query<{ step: string }>('select step from effects where order_id = $1 order by step', [order]);
  return rows.map(({ step }) => step);
}
