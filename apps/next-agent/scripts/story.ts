// The story of the demo, played in a headless browser: reloads, kills and a shutdown in the middle, and what must be true after each.

import { existsSync, mkdirSync } from 'node:fs';
import pg from 'pg';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { Server } from './server.js';

/** What the story is played with. */
interface Stage {
  readonly server: Server;
  readonly browser: Browser;
  readonly query: (sql: string, values?: unknown[]) => Promise<number>;
}

/** Plays it. Resolves to the exit status: 0 if everything was as it must be. */
export async function playStory(server: Server, databaseUrl: string): Promise<number> {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('the story needs Chromium: apt-get install chromium');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  const query: Stage['query'] = async (sql, values) =>
    Number((await pool.query<{ n: string }>(sql, values)).rows[0]?.n);
  const stage = { server, browser, query };
  try {
    await playRefund(stage);
    await playDocument(stage);
    await playLooks(stage);
    await playShutdown(stage);
    console.log('\nThe story is true.');
    return 0;
  } catch (error) {
    console.error(error, `\nThe server's log:\n${server.log().slice(-4_000)}`);
    return 1;
  } finally {
    await browser.close();
    await pool.end();
  }
}

async function playRefund({ server, browser, query }: Stage): Promise<void> {
  const { page, complaints } = await open(browser, server.url);
  await page.getByLabel('Linen bedding set').check();
  await page.getByRole('button', { name: 'Ask the agent' }).click();
  await page.waitForURL(/\/refunds\//);
  await page.getByText('bedding set and is').waitFor();
  await shoot(page, 'writing');
  tell('the agent writes, token by token');

  await page.reload();
  await page.getByText('bedding set and is').waitFor();
  tell('the page was reloaded in the middle, and shows what was there');

  const first = server.pid();
  await page.getByRole('button', { name: 'Kill the server' }).click();
  await page.getByText('The server is away').waitFor();
  await shoot(page, 'away');
  tell(`the server (process ${first}) was killed in the middle of a sentence`);
  await page.getByRole('button', { name: 'Approve' }).waitFor({ timeout: 60_000 });
  check(server.pid() !== first, 'another process runs');
  await shoot(page, 'waiting');
  tell(`process ${server.pid()} went on, and the agent waits for a human; the page followed by itself`);

  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('you approved', { exact: false }).waitFor();
  process.kill(server.pid() ?? 0, 'SIGKILL');
  await page.getByText('The server is away').waitFor();
  tell('it was killed again, right after the approval');
  await page.getByText('Paid back €149.00, once.').waitFor({ timeout: 60_000 });
  const id = new URL(page.url()).pathname.split('/').at(-1);
  check(
    (await query('select count(*) as n from refunds where run_id = $1', [id])) === 1,
    'the money was paid back once',
  );
  tell('the customer has an answer, and the ledger holds one refund');
  check(complaints.length === 0, `the browser complained: ${complaints.join('\n')}`);
  await page.close();
}

async function playDocument({ server, browser, query }: Stage): Promise<void> {
  const { page, complaints } = await open(browser, server.url);
  await page.getByRole('button', { name: 'Index it' }).click();
  await page.waitForURL(/\/documents\//);
  const progress = page.getByRole('progressbar');
  await page.getByText(/^[4-9] of \d+ read$/).waitFor();
  await shoot(page, 'indexing');
  const before = Number(await progress.getAttribute('value'));
  process.kill(server.pid() ?? 0, 'SIGKILL');
  tell(`the server was killed with ${before} passages indexed`);
  await page.getByText('What it is about').waitFor({ timeout: 60_000 });
  const total = Number(await progress.getAttribute('max'));
  const id = new URL(page.url()).pathname.split('/').at(-1);
  const stored = await query('select count(*) as n from passages where run_id = $1', [id]);
  check(stored === total && Number(await progress.getAttribute('value')) === total, 'every passage is there');
  tell(`all ${total} passages are indexed, each once`);
  check(complaints.length === 0, `the browser complained: ${complaints.join('\n')}`);
  await page.close();
}

// Every page in both schemes and at two widths.
async function playLooks({ server, browser }: Stage): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [375, 1280]) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
      const { page, complaints } = await open(context, server.url);
      const paths = await page
        .locator('.runs a')
        .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
      for (const path of ['/', ...paths, '/refunds/nobody']) {
        await page.goto(server.url + path);
        await page.getByRole('heading').first().waitFor();
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        check(overflow === 0, `${path} fits into ${width} px`);
        await shoot(page, `${path.replaceAll('/', '-').slice(1, 12) || 'desk'}-${colorScheme}-${width}`);
      }
      const real = complaints.filter((complaint) => !complaint.includes('404'));
      check(real.length === 0, `the browser complained: ${real.join('\n')}`);
      await context.close();
    }
  }
  tell('every page fits at 375 and 1280 pixels, light and dark, without a complaint of the browser');
}

async function playShutdown({ server, browser }: Stage): Promise<void> {
  const { page } = await open(browser, server.url);
  await page.getByRole('button', { name: 'Index it' }).click();
  await page.waitForURL(/\/documents\//);
  await page.getByText(/^[1-9] of \d+ read$/).waitFor();
  const ms = await server.stop();
  check(ms < 2_000, `the server ended within two seconds of SIGTERM, not in ${ms} ms`);
  tell(`told to end with a page open and steps under way, the server was gone after ${ms} ms`);
}

async function open(browser: Pick<Browser, 'newPage'>, url: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    // What a browser says of a server that is away is what was to be shown.
    const isOutage = /net::ERR_(CONNECTION|EMPTY|INCOMPLETE|NETWORK)/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !isOutage) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints };
}

// For people to look at, where DEMO_SHOTS names a folder.
async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env['DEMO_SHOTS'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true, animations: 'disabled' });
}

function tell(text: string): void {
  console.log(`✓ ${text}`);
}

function check(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`not true: ${what}`);
}
