// wtx: what does a start cost the transaction that it is part of, and how soon does the run begin after the commit?

import { setTimeout as delay } from 'node:timers/promises';
import { contract, createEngine, runStep, silentLogger, workflow } from 'perdure';
import pg from 'pg';
import { sustain } from './lib/drive.mjs';
import { clock } from './lib/programs.mjs';
import { percentile } from './lib/statistics.mjs';

export const workload = {
  title: 'Starts in transactions of the application',
  contestants: ['perdure'],
  needs: [],
  measures: {
    plain: { unit: 'transactions/s that insert a row, 20 connections', better: 'more' },
    starts: { unit: 'transactions/s that start a run as well', better: 'more' },
    startsSql: { unit: 'transactions/s that call start_run, notify => false', better: 'more' },
    startsSqlNotifying: { unit: 'transactions/s that call start_run', better: 'more' },
    p50: { unit: 'ms from commit to step', better: 'less' },
    p99: { unit: 'ms from commit to step', better: 'less' },
    sqlP50: { unit: 'ms from commit of start_run to step', better: 'less' },
  },
  size: { warmUpMs: 500, measureMs: 3_000, count: 100 },
};

export const roles = {
  async main(_, { url, warmUpMs, measureMs, count }) {
    const pool = new pg.Pool({ connectionString: url, max: 20 });
    await pool.query('create table orders (id bigint generated always as identity primary key, body text not null)');
    const later = contract('later');
    const begun = new Map();
    const beacon = workflow('beacon', (key) => runStep('beacon', async () => void begun.set(key, clock())));
    const engine = createEngine({ database: url, workflows: [beacon], logger: silentLogger });
    await engine.launch();

    const inTransaction = async (work) => {
      const client = await pool.connect();
      await client.query('begin');
      await client.query("insert into orders (body) values ('{}')");
      await work(client);
      await client.query('commit');
      client.release();
      return clock();
    };
    const rate = async (work) =>
      (await sustain({ concurrency: 20, warmUpMs, measureMs, once: () => inTransaction(work) })).rate;
    const latencies = async (name, work) => {
      const times = [];
      for (let i = 0; i < count; i++) {
        await delay(10 + (i % 7) * 3);
        const key = `${name}-${i}`;
        const committedAt = await inTransaction((client) => work(client, key));
        while (!begun.has(key)) await delay(1);
        times.push(begun.get(key) - committedAt);
      }
      return times;
    };

    const api = (client, key) => engine.startWorkflow(beacon, key, { transaction: client });
    const sql = (client, key) => client.query("select perdure.start_run('beacon', to_json($1::text))", [key]);
    const [ofApi, ofSql] = [await latencies('api', api), await latencies('sql', sql)];
    const sqlLater = (client, options) => client.query(`select perdure.start_run('later', delay => '1 day'${options})`);
    const figures = {
      plain: await rate(async () => undefined),
      starts: await rate((client) => engine.startWorkflow(later, undefined, { delay: '1 day', transaction: client })),
      startsSql: await rate((client) => sqlLater(client, ', notify => false')),
      startsSqlNotifying: await rate((client) => sqlLater(client, '')),
      p50: percentile(ofApi, 0.5),
      p99: percentile(ofApi, 0.99),
      sqlP50: percentile(ofSql, 0.5),
    };
    await engine.close();
    await pool.end();
    return figures;
  },
};
