// Turns rounds into medians and ratios, and both into a table for people and a file for machines.

import { cpus, totalmem, type, release, arch } from 'node:os';
import { median, ratio } from './statistics.mjs';

export const ours = 'perdure';

/** rounds: one object of figures, or { error }, or { unavailable }, per round. */
export function summarize(workload, rounds) {
  const refused = rounds.find((round) => round.unavailable !== undefined);
  if (refused) return { unavailable: refused.unavailable };
  const good = rounds.filter((round) => round.error === undefined);
  const errors = rounds.flatMap((round) => round.error ?? []);
  if (good.length === 0) return { error: errors[0] };
  const measures = {};
  for (const name of Object.keys(workload.measures)) {
    const values = good.map((round) => round[name]).filter((figure) => typeof figure === 'number');
    if (values.length > 0) measures[name] = { median: median(values), rounds: values };
  }
  return errors.length > 0 ? { measures, errors } : { measures };
}

/** `w1/dbos` is the ratio of the first measure, `w1.p99/dbos` that of another. Above 1: ours is better. */
export function ratiosOf(name, workload, results) {
  const ratios = {};
  const mine = results[ours]?.measures;
  if (!mine) return ratios;
  const [main] = Object.keys(workload.measures);
  for (const [peer, { measures }] of Object.entries(results)) {
    if (peer === ours || !measures) continue;
    for (const [measure, { better }] of Object.entries(workload.measures)) {
      if (better === undefined || !mine[measure] || !measures[measure]) continue;
      const key = measure === main ? `${name}/${peer}` : `${name}.${measure}/${peer}`;
      ratios[key] = round(ratio(better, mine[measure].median, measures[measure].median));
    }
  }
  return ratios;
}

export function table(name, workload, results, ratios) {
  const contestants = Object.keys(results);
  const [main] = Object.keys(workload.measures);
  const rows = [['', ...contestants]];
  for (const [measure, { unit }] of Object.entries(workload.measures)) {
    rows.push([`${measure} (${unit})`, ...contestants.map((peer) => cell(results[peer], measure))]);
    const key = (peer) => (measure === main ? `${name}/${peer}` : `${name}.${measure}/${peer}`);
    if (contestants.some((peer) => ratios[key(peer)] !== undefined)) {
      rows.push([
        '  ours is better by',
        ...contestants.map((peer) => (ratios[key(peer)] === undefined ? '' : `${figure(ratios[key(peer)])}×`)),
      ]);
    }
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column] + 2))).join(''),
  );
  const notes = contestants.flatMap((peer) => {
    const { unavailable, error, errors } = results[peer];
    return [unavailable, error, ...(errors ?? [])]
      .filter(Boolean)
      .map((text) => `  ${peer}: ${String(text).split('\n')[0]}`);
  });
  return [`${name}  ${workload.title}`, ...lines, ...notes, ''].join('\n');
}

function cell(result, measure) {
  if (result.unavailable !== undefined) return 'n/a';
  if (result.error !== undefined) return 'failed';
  const found = result.measures[measure];
  return found === undefined ? '–' : figure(found.median);
}

function figure(number) {
  const digits = Math.max(0, Math.min(2, 2 - Math.floor(Math.log10(Math.abs(number) || 1))));
  return number.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const round = (number) => Number(number.toPrecision(4));

export function machine() {
  return {
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${type()} ${release().split('-')[0]} ${arch()}`,
  };
}
