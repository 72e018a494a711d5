import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startDurableCluster, type DurableCluster } from '../src/index.js';
import { connect } from './connect.js';

let cluster: DurableCluster;
beforeAll(async () => {
  cluster = await startDurableCluster();
});
beforeEach(async () => {
  await cluster.restart();
  await (await connect(cluster.url)).query('drop table if exists kept');
});
afterAll(() => cluster.stop());

test('commits wait for the disk', async () => {
  const { rows } = await (await connect(cluster.url)).query('show fsync');

  expect(rows).toEqual([{ fsync: 'on' }]);
});

test.each(['fast', 'immediate'] as const)('what was committed is there after a %s restart', async (mode) => {
  await (await connect(cluster.url)).query('create table kept as select 1 as id');

  await cluster.restart(mode);

  expect((await (await connect(cluster.url)).query('select * from kept')).rows).toEqual([{ id: 1 }]);
});

test('a killed server is gone, and has lost nothing when it is back', async () => {
  await (await connect(cluster.url)).query('create table kept as select 1 as id');

  await cluster.kill();

  await expect(connect(cluster.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await cluster.restart();
  expect((await (await connect(cluster.url)).query('select * from kept')).rows).toEqual([{ id: 1 }]);
});
