// npm run bench -- w1 w2 --peers dbos,absurd --rounds 3 --json FILE
// Plays each workload in rounds, the contestants taking turns, each in processes and a database of its own, and prints medians and ratios.

import { execFileSync } from 'node:child_process';
import { readdirSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCluster } from './lib/cluster.mjs';
import { machine, ours, ratiosOf, summarize, table } from './lib/report.mjs';
import { openStage } from './lib/stage.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const modules = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => name.slice(0, -4));
const allWorkloads = modules(here)
  .filter((name) => name !== 'run')
  .sort();
const allPeers = modules(`${here}/peers`).filter((name) => name !== 'postgres' && name !== ours);

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string', default: allPeers.join(',') },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
    size: { type: 'string', multiple: true, default: [] },
    profile: { type: 'string' },
    only: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) {
  console.log(`npm run bench -- [workload …] [--peers dbos,absurd | --peers none] [--rounds 3] [--size name=number …] [--json FILE] [--profile FOLDER]
workloads: ${allWorkloads.join(' ')}
peers:     ${allPeers.join(' ')}`);
  process.exit(0);
}

const names = positionals.length > 0 ? positionals : allWorkloads;
const rounds = Number(flags.rounds);
const peers = flags.peers === 'none' ? [] : flags.peers.split(',');
const sizes = Object.fromEntries(
  flags.size.map((pair) => pair.split('=')).map(([name, number]) => [name, Number(number)]),
);
refuseUnknown(names, allWorkloads, 'workload');
refuseUnknown(peers, allPeers, 'peer');
if (flags.profile) mkdirSync(flags.profile, { recursive: true });

// Peers are prepared in this process, and their use of deprecated calls is not ours to mend.
process.noDeprecation = true;

const cluster = await startCluster();
const stopped = { done: false };
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void finish(130));

const results = {};
const ratios = {};
const versions = { node: process.version.slice(1), postgres: cluster.version, commit: commit() };
try {
  for (const name of names) {
    const { workload, conduct } = await import(`./${name}.mjs`);
    results[name] = await playRounds(name, { workload, conduct });
    const found = ratiosOf(name, workload, results[name]);
    Object.assign(ratios, found);
    console.log(table(name, workload, results[name], found));
  }
  if (flags.json) writeJson(flags.json);
} finally {
  await finish(0);
}

async function playRounds(name, { workload, conduct }) {
  const contestants = workload.contestants ?? [ours, ...peers];
  const played = Object.fromEntries(contestants.map((contestant) => [contestant, []]));
  for (let round = 0; round < Math.min(rounds, workload.rounds ?? rounds); round++) {
    const order = [
      ...contestants.slice(round % contestants.length),
      ...contestants.slice(0, round % contestants.length),
    ];
    for (const contestant of order) {
      if (played[contestant].some((earlier) => earlier.unavailable !== undefined)) continue;
      played[contestant].push(await playOne({ name, contestant, workload, conduct }));
    }
  }
  return Object.fromEntries(
    Object.entries(played)
      .map(([contestant, figures]) => [contestant, summarize(workload, figures)])
      .filter(([contestant, result]) => contestant === ours || result.unavailable === undefined),
  );
}

async function playOne({ name, contestant, workload, conduct }) {
  const peer = await import(`./peers/${contestant}.mjs`).catch((error) => ({ offers: undefined, error }));
  if (peer.offers === undefined) return { unavailable: `not available: ${peer.error.message}` };
  const missing = workload.needs.filter((need) => !peer.offers.includes(need));
  if (missing.length > 0) return { unavailable: `not available: no ${missing.join(', ')}` };
  if (peer.version) versions[contestant] = peer.version;
  const size = { ...workload.size, ...sizes };
  const stage = await openStage({ cluster, workload: name, peer: contestant, size, profile: flags.profile });
  try {
    await peer.prepare?.({ url: stage.url });
    return await (conduct ? conduct(stage, peer) : stage.play('main'));
  } catch (error) {
    return { error: error.message };
  } finally {
    await stage.close();
  }
}

function writeJson(file) {
  const command = `npm run bench -- ${process.argv
    .slice(2)
    .filter((part) => !part.startsWith('/'))
    .join(' ')}`;
  const record = {
    machine: machine(),
    versions,
    settings: cluster.settings,
    command,
    date: new Date().toISOString(),
    rounds,
    results,
    ratios,
  };
  writeFileSync(file, `${JSON.stringify(record, undefined, 2)}\n`);
}

// Which source was measured; undefined outside a checkout.
function commit() {
  if (process.env.BENCH_COMMIT) return process.env.BENCH_COMMIT;
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: here,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

async function finish(code) {
  if (stopped.done) return;
  stopped.done = true;
  await cluster.stop();
  process.exit(code || process.exitCode || 0);
}

function refuseUnknown(given, known, what) {
  const unknown = given.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  console.error(`No such ${what}: ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
  process.exit(2);
}
