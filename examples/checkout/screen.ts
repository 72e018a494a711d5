// How the demo looks: a line per event, with colours on a terminal and plain elsewhere.

import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** What happened, and in which process. */
export interface Happening {
  readonly pid: number;
  readonly step?: string | undefined;
  readonly what?: keyof typeof styles | undefined;
  readonly text: string;
}

const styles = { runs: 'green', replayed: 'yellow', KILLED: 'red' } as const;
const pidStyles: readonly Style[] = ['dim', 'cyan', 'magenta'];
const indent = '  ';

/** Where the demo is told. */
export class Screen {
  readonly #isLive: boolean;
  readonly #startedAt = performance.now();
  readonly #pids: number[] = [];
  #waiting: NodeJS.Timeout | undefined;

  /** Live: on a terminal, so that colours and a counting clock can be seen. */
  constructor(isLive: boolean) {
    this.#isLive = isLive;
  }

  title(text: string): void {
    const rule = '─'.repeat(text.length + 4);
    console.log(`\n${indent}┌${rule}┐\n${indent}│  ${this.#paint('bold', text)}  │\n${indent}└${rule}┘\n`);
    console.log(`${indent}${this.#paint('dim', ' elapsed  process  step')}`);
  }

  heading(text: string): void {
    console.log(`\n${indent}${this.#paint('bold', text)}`);
  }

  happening({ pid, step = '', what, text }: Happening): void {
    this.#endWait();
    const place = what === undefined ? '' : `${step.padEnd(8)}  ${this.#paint(styles[what], what.padEnd(8))}  `;
    console.log(`${indent}${this.#elapsed()}  ${this.#pid(pid)}  ${place}${text}`);
  }

  /** Counts the seconds until the next line, so that nobody thinks that it hangs. */
  wait(): void {
    if (!this.#isLive) return;
    this.#waiting = setInterval(() => {
      process.stdout.write(`\r${indent}${this.#elapsed()}`);
    }, 50);
  }

  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)));
    const line = (cells: readonly string[]): string =>
      cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('   ');
    console.log(`${indent}${this.#paint('dim', line(head).trimEnd())}`);
    for (const row of rows) console.log(`${indent}${line(row)}`.trimEnd());
  }

  check(isRight: boolean, text: string): void {
    console.log(`${indent}${isRight ? this.#paint('green', '✓') : this.#paint('red', '✗')} ${text}`);
  }

  verdict(isGood: boolean, text: string): void {
    this.#endWait();
    console.log(`\n${indent}${this.#paint(['bold', isGood ? 'green' : 'red'], text)}\n`);
  }

  #elapsed(): string {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(2);
    return this.#paint('dim', `${seconds} s`.padStart(8));
  }

  // Each process has its colour.
  #pid(pid: number): string {
    if (!this.#pids.includes(pid)) this.#pids.push(pid);
    return this.#paint(pidStyles[this.#pids.indexOf(pid)] ?? 'reset', String(pid).padStart(7));
  }

  #endWait(): void {
    if (this.#waiting === undefined) return;
    clearInterval(this.#waiting);
    this.#waiting = undefined;
    process.stdout.write('\r');
  }

  #paint(style: Style, text: string): string {
    return this.#isLive && !process.env['NO_COLOR'] ? styleText(style, text) : text;
  }
}
