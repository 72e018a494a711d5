// Starting runs and sending messages from SQL: triggers, other languages, psql.

import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@perdure/testing';
import { createEngine, queue, receive, runStep, silentLogger, topic, workflow } from '../src/index.js';
import { isErrorCode } from '../src/values/errors.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();
const line = queue('line', { concurrency: 1 });
const approval = topic<{ ok: boolean }>('approval');
const ship = workflow('ship', async (order: { sku: string }) => `shipped ${order.sku}`);
const approved = workflow('approved', async () => receive(approval));
const quiet = db.mode === 'polling' ? {} : ({ pollInterval: '1 hour' } as const);

beforeAll(async () => {
  const engine = createEngine({ database: db.url, queues: [line], logger: silentLogger });
  await engine.launch();
  await engine.close();
});

test('SQL starts a run, which listening processes begin at once [155, 159]', async () => {
  const engine = await db.launchEngine({ ...quiet, workflows: [ship] });

  const [row] = await db.query<{ id: string }>(`select perdure.start_run('ship', '{"sku":"A-1"}') as id`);

  expect(row?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(await engine.getHandle(row?.id ?? '', ship).result()).toBe('shipped A-1');
});

test('without a notification, a run that SQL starts is found by polling', async () => {
  const engine = await db.launchEngine({ workflows: [ship], pollInterval: '100ms' });

  await db.query(`select perdure.start_run('ship', '{"sku":"B"}', id => 'polled', notify => false)`);

  expect(await engine.getHandle('polled', ship).result()).toBe('shipped B');
});

test('a row in a table and the run that its trigger starts commit together, or neither [155]', async () => {
  await db.query('create table orders (id text primary key, sku text not null)');
  await db.query(`create function ship_order() returns trigger language plpgsql as $$
    begin
      perform perdure.start_run('ship', json_build_object('sku', new.sku), id => 'order-' || new.id);
      return new;
    end $$`);
  await db.query('create trigger ship after insert on orders for each row execute function ship_order()');
  const engine = await db.launchEngine({ workflows: [ship] });

  await db.query("begin; insert into orders values ('1', 'A'); rollback");
  await db.query("insert into orders values ('2', 'B')");

  expect(await engine.getHandle('order-2', ship).result()).toBe('shipped B');
  expect(await db.query("select from perdure.runs where id = 'order-1'")).toEqual([]);
});

test('a run that SQL starts is the row that the engine writes', async () => {
  const engine = await db.launchEngine();
  const options = { queue: line, partitionKey: 'k', priority: 3, dedupKey: 'd', attributes: { a: 1 } } as const;
  await engine.startWorkflow(ship, { sku: 'A' }, { ...options, delay: '1 hour', timeout: '2 hours', id: 'same-1' });
  await db.query("update perdure.runs set dedup_key = 'other' where id = 'same-1'");
  await engine.startWorkflow(
    workflow('nothing', async () => undefined),
    undefined,
    { delay: '1 day', id: 'same-3' },
  );

  await db.query(`select perdure.start_run('ship', '{"sku":"A"}', 'same-2', 'line', 'k', 3, 'other2', delay => '1 hour',
    timeout => '2 hours', attributes => '{"a":1}')`);
  await db.query("select perdure.start_run('nothing', id => 'same-4', delay => '1 day')");

  const rows = await db.query(
    `select (to_jsonb(r) - '{id,created_at,queue_position,dedup_key}'::text[])
       || jsonb_build_object('due_at', round(extract(epoch from due_at - created_at))) as facts
     from perdure.runs r where id like 'same-%' order by id`,
  );
  expect(rows[1]).toEqual(rows[0]);
  expect(rows[3]).toEqual(rows[2]);
});

test('ids and dedup keys mean in SQL what they mean in the API [155]', async () => {
  const start = async (more: string): Promise<unknown> =>
    (await db.query(`select perdure.start_run('later', '1', delay => '1 day', ${more}) as id`))[0];

  expect(await start("id => 'same'")).toEqual({ id: 'same' });
  expect(await start("id => 'same'")).toEqual({ id: 'same' });
  expect(await start("id => 'first', queue => 'line', dedup_key => 'k'")).toEqual({ id: 'first' });
  expect(await start("queue => 'line', dedup_key => 'k'")).toEqual({ id: 'first' });
  await expect(start("id => 'same', on_duplicate => 'reject'")).rejects.toThrow(/^RUN_EXISTS: /);
  await expect(start("queue => 'line', dedup_key => 'k', on_duplicate => 'reject'")).rejects.toThrow(
    /^DEDUP_CONFLICT: /,
  );
});

test.each([
  ["start_run('other', id => 'here')", 'RUN_ID_CONFLICT'],
  ["start_run('')", 'NAME_INVALID'],
  ['start_run(null)', 'NAME_INVALID'],
  ["start_run(repeat('x', 256))", 'NAME_INVALID'],
  [String.raw`start_run(e'a\nb')`, 'NAME_INVALID'],
  ["start_run('w', id => '')", 'RUN_ID_INVALID'],
  ["start_run('w', id => repeat('x', 513))", 'RUN_ID_INVALID'],
  ["start_run('w', queue => 'nowhere')", 'QUEUE_UNKNOWN'],
  ["start_run('w', priority => 1)", 'OPTION_INVALID'],
  ["start_run('w', attributes => '[1]')", 'OPTION_INVALID'],
  ["start_run('w', on_duplicate => 'ignore')", 'OPTION_INVALID'],
  ["start_run('w', delay => '-1 second')", 'DURATION_INVALID'],
  ["start_run('w', timeout => '-1 second')", 'DURATION_INVALID'],
  ["send_message('nobody', 'approval', '1')", 'RUN_NOT_FOUND'],
  ["send_message('', 'approval', '1')", 'RUN_ID_INVALID'],
  ["send_message('here', '', '1')", 'NAME_INVALID'],
])('select %s raises %s and writes nothing', async (call, code) => {
  await db.query("select perdure.start_run('w', id => 'here', delay => '1 day')");
  const before = await db.query('select id from perdure.runs order by id');

  const failure: unknown = await db.query(`select perdure.${call}`).catch((error: unknown) => error);

  expect(failure).toMatchObject({ message: expect.stringMatching(`^${code}: `), hint: expect.stringMatching(/\.$/) });
  expect(await db.query('select id from perdure.runs order by id')).toEqual(before);
});

test('every code that SQL raises is in the table of errors', () => {
  const path = new URL('../../../migrations/0007_starts_in_transactions.sql', import.meta.url);
  const codes = [...readFileSync(path, 'utf8').matchAll(/'([A-Z]+_[A-Z_]+)[:']/g)].map(([, code]) => code);

  expect(codes.length).toBeGreaterThan(8);
  expect(codes.filter((code) => !isErrorCode(code))).toEqual([]);
});

test('SQL sends a message, once per key, which also wakes a parked run [91]', async () => {
  const engine = await db.launchEngine({ ...quiet, workflows: [approved], parkAfter: '50ms' });
  const run = await engine.startWorkflow(approved, undefined, { id: 'asks' });
  await waitFor(() => db.query("select from perdure.runs where id = 'asks' and status = 'waiting'"), {
    what: 'the run to be parked',
    until: (rows) => rows.length === 1,
  });
  const client = await db.connect();
  await client.query('begin');
  const send = `select perdure.send_message('asks', 'approval', '{"ok":true}', dedup_key => 'k') as is_new`;

  const first = await client.query(send);
  const second = await client.query(send);
  await client.query('commit');

  expect([first.rows, second.rows]).toEqual([[{ is_new: true }], [{ is_new: false }]]);
  expect(await run.result()).toEqual({ ok: true });
  await expect(db.query("select perdure.send_message('asks', 'approval', '1')")).rejects.toThrow(
    /^RUN_STATE_CONFLICT: /,
  );
  expect(await db.query(send)).toEqual([{ is_new: false }]);
});

test('a message that SQL sends vanishes with its transaction [90, 91]', async () => {
  const engine = await db.launchEngine({ workflows: [approved] });
  const run = await engine.startWorkflow(approved, undefined, { id: 'hears-one' });

  await db.query(`begin; select perdure.send_message('hears-one', 'approval', '{"ok":false}'); rollback`);
  await db.query(`select perdure.send_message('hears-one', 'approval', '{"ok":true}')`);

  expect(await run.result()).toEqual({ ok: true });
});

test('JSON is refused by SQL if it is none, and fails its run alone if it was written by hand [159]', async () => {
  const engine = await db.launchEngine({ workflows: [ship], pollInterval: '100ms' });
  await expect(db.query("select perdure.start_run('ship', '{')")).rejects.toMatchObject({ code: '22P02' });

  await db.query(`insert into perdure.runs (id, workflow, status, due_at, input) values
    ('broken', 'ship', 'queued', now(), '{'), ('whole', 'ship', 'queued', now(), '{"sku":"C"}')`);

  await expect(engine.getHandle('broken').result()).rejects.toMatchObject({ code: 'PAYLOAD_CORRUPT' });
  expect(await engine.getHandle('whole', ship).result()).toBe('shipped C');
});

test('a schema of another name has functions of its own', async () => {
  const schema = `My "other" $1 schema ${'x'.repeat(40)}`;
  const schemaOption = { schema: Buffer.from(schema).subarray(0, 63).toString(), ...quiet };
  const greet = workflow('greet', async (name: string) => runStep('greet', () => `hello ${name}`));
  const engine = await db.launchEngine({ ...schemaOption, workflows: [greet] });
  const quoted = `"${schemaOption.schema.replaceAll('"', '""')}"`;

  await db.query(`select ${quoted}.start_run('greet', '"Ada"', 'elsewhere')`);

  expect(await engine.getHandle('elsewhere', greet).result()).toBe('hello Ada');
  expect(await db.query("select from perdure.runs where id = 'elsewhere'")).toEqual([]);
});
