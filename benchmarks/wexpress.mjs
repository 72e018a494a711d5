// WEXPRESS: what does a durable route cost over a bare one? Express with 50 connections: a route that does nothing, one that starts a run
// of one step and answers at once, and one that answers with what its step has returned, without and with an idempotency key.

import express from 'express';
import { load, post } from './lib/http-load.mjs';
import { percentile } from './lib/statistics.mjs';

export const workload = {
  title: 'Express routes, 50 connections: a step and its result in the response',
  needs: ['express'],
  measures: {
    handler: { unit: 'requests/s, one step in the response', better: 'more' },
    handlerP50: { unit: 'ms p50', better: 'less' },
    handlerP99: { unit: 'ms p99', better: 'less' },
    handlerCpu: { unit: 'µs of server CPU per request', better: 'less' },
    keyed: { unit: 'requests/s, the same with an idempotency key', better: 'more' },
    keyedP50: { unit: 'ms p50', better: 'less' },
    keyedP99: { unit: 'ms p99', better: 'less' },
    keyedCpu: { unit: 'µs of server CPU per request', better: 'less' },
    start: { unit: 'requests/s, a run of one step started, 202', better: 'more' },
    startP50: { unit: 'ms p50', better: 'less' },
    startP99: { unit: 'ms p99', better: 'less' },
    startCpu: { unit: 'µs of server CPU per request', better: 'less' },
    bare: { unit: 'requests/s, bare route', better: 'more' },
    bareP50: { unit: 'ms p50', better: 'less' },
    bareP99: { unit: 'ms p99', better: 'less' },
    bareCpu: { unit: 'µs of server CPU per request', better: 'less' },
  },
  size: { connections: 50, warmUpMs: 2_000, measureMs: 6_000 },
};

export const roles = {
  async server(peer, { url, connections }, parent) {
    const app = express();
    app.use(express.json());
    app.post('/bare', (req, res) => res.status(201).json({ id: req.body.id }));
    await peer.mountExpress(app, { url, concurrency: connections });
    const server = app.listen(0, '127.0.0.1', () => parent.tell('listening', server.address().port));
    app.get('/cpu', (_req, res) => res.json(process.cpuUsage()));
    await parent.hear('end');
    server.closeAllConnections();
  },

  async client(_, { port, path, isKeyed, connections, warmUpMs, measureMs }) {
    let count = 0;
    const start = Date.now();
    const request = () => {
      const id = `${start}-${path.slice(1)}-${count++}`;
      return post(path, { id, total: 8_980 }, isKeyed ? { 'idempotency-key': id } : {});
    };
    const before = await cpuMicros(port);
    const { rate, times } = await load({ port, connections, warmUpMs, measureMs, request });
    const cpu = ((await cpuMicros(port)) - before) / count;
    return { rate, cpu, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  },
};

async function cpuMicros(port) {
  const { user, system } = await (await fetch(`http://127.0.0.1:${port}/cpu`)).json();
  return user + system;
}

export async function conduct(stage) {
  const server = stage.start('server');
  const port = await server.hear('listening');
  const figures = {};
  for (const name of ['bare', 'start', 'handler', 'keyed']) {
    const path = name === 'keyed' ? '/handler' : `/${name}`;
    const { rate, cpu, p50, p99 } = await stage.play('client', { port, path, isKeyed: name === 'keyed' });
    Object.assign(figures, { [name]: rate, [`${name}P50`]: p50, [`${name}P99`]: p99, [`${name}Cpu`]: cpu });
  }
  server.tell('end');
  await server.figures;
  return figures;
}
