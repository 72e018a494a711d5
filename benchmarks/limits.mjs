// limits: what this machine's Postgres can do at all. Every other number is to be read against these.

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { sustain } from './lib/drive.mjs';

export const workload = {
  title: 'Limits of the database',
  contestants: ['postgres'],
  needs: [],
  measures: {
    commits: { unit: 'single-row commits/s, one connection', better: 'more' },
    commits20: { unit: 'single-row commits/s, 20 connections', better: 'more' },
    batched100: { unit: 'rows/s in batches of 100, one connection', better: 'more' },
    batched1000: { unit: 'rows/s in batches of 1,000, one connection', better: 'more' },
  },
  size: { warmUpMs: 500, measureMs: 3_000 },
};

const insertOne = { name: 'one', text: 'insert into rows (id, seq, body) values ($1, $2, $3)' };
const insertMany = {
  name: 'many',
  text: 'insert into rows (id, seq, body) select * from unnest($1::uuid[], $2::int[], $3::text[])',
};

export const roles = {
  async main(_, { url, warmUpMs, measureMs }) {
    const pool = new pg.Pool({ connectionString: url, max: 20 });
    await pool.query('create table rows (id uuid, seq int, body text, primary key (id, seq))');
    const rate = async (concurrency, once) => (await sustain({ concurrency, warmUpMs, measureMs, once })).rate;
    const one = () => pool.query({ ...insertOne, values: [randomUUID(), 1, '{"ok":true}'] });
    const many = (count) => {
      const id = randomUUID();
      const batch = {
        ids: Array.from({ length: count }, () => id),
        seqs: Array.from({ length: count }, (_, i) => i),
        bodies: Array.from({ length: count }, () => '{"ok":true}'),
      };
      return pool.query({ ...insertMany, values: [batch.ids, batch.seqs, batch.bodies] });
    };
    const figures = {
      commits: await rate(1, one),
      commits20: await rate(20, one),
      batched100: 100 * (await rate(1, () => many(100))),
      batched1000: 1000 * (await rate(1, () => many(1000))),
    };
    await pool.end();
    return figures;
  },
};
