// The summary of a matrix: a Markdown table with the last run of each of its cells.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';

/** A file, and what stands above and in its table. */
export interface Summary {
  readonly path: string;
  readonly title: string;
  /** What was done, and, behind where and when, what else is to know. */
  readonly about: string;
  readonly note?: string;
  /** The names of all cells, in their order. */
  readonly cells: readonly string[];
}

/** Puts the outcome of one cell in the place of what the table says of it. */
export function recordCell({ path, title, about, note, cells }: Summary, name: string, row: string): void {
  const known = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const rowOf = (cell: string): string | undefined => known.find((line) => line.startsWith(`| ${cell} |`));
  const rows = cells.map((cell) => (cell === name ? row : rowOf(cell))).filter((each) => each !== undefined);
  const [cpu] = cpus();
  const when = `Node ${process.version}, ${new Date().toISOString().slice(0, 10)}.`;
  const text = [
    `# ${title}`,
    '',
    `${about} Last of all on ${cpus().length} cores (${cpu?.model.trim()}),`,
    note === undefined ? when : `${when} ${note}`,
    '',
    '| what | outcome | time |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
