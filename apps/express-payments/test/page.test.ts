// The page in a real browser: an order is placed, the process is killed by the button, and the order arrives.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createTestDatabase, spawnProcess, type TestDatabase } from '@perdure/testing';
import { chromium, type Browser, type Page } from 'playwright-core';

jest.setTimeout(120_000);

const candidates = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
if (executablePath === undefined) {
  console.warn('No Chromium is installed, so the page is not tested. Install one, or name it in CHROMIUM.');
}

(executablePath === undefined ? describe.skip : describe)('the page of the shop', () => {
  let database: TestDatabase;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    database = await createTestDatabase();
    const demo = fileURLToPath(new URL('../demo.ts', import.meta.url));
    const shop = spawnProcess(demo, { env: { DATABASE_URL: database.url, PORT: '0' } });
    const [, url = ''] = /open: (\S+)/.exec(await shop.line(/The shop is open/, { timeoutMs: 60_000 })) ?? [];
    const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args });
    page = await browser.newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(url);
  });

  afterAll(async () => {
    await browser.close();
    await database.drop();
  });

  test('shows an order that loses its process and arrives, charged once, beside a plain handler that charges twice', async () => {
    await page.click('text=Headphones');
    await page.waitForSelector('#durable >> text=is in the ledger');
    await page.waitForSelector('#ledger td:nth-child(3) >> text=once');
    await page.click('#crash');
    await page.waitForSelector('#process.dead');
    await Promise.all(['#durable', '#plain'].map((side) => page.waitForSelector(`${side} .outcome:not([hidden])`)));
    await page.waitForSelector('#ledger >> text=twice');

    const steps = await page.locator('#durable .steps li').allInnerTexts();
    const [charged = ''] = await page.locator('#ledger tr').allInnerTexts();
    expect(steps.join('\n')).toMatch(/in the ledger[^]*the process is gone[^]*set aside[^]*on its way/);
    expect(await page.innerText('#durable .outcome')).toBe('Shipped. Charged €89.80, once.');
    expect(charged.split('\t')).toEqual(['charged', 'once, €89.80', 'twice, €179.60']);
    expect(new Set(await page.locator('#durable .pid').allInnerTexts()).size).toBe(2);
  });

  test('has a large order approved by the link in a mail', async () => {
    await page.click('text=Grand piano');
    const link = page.locator('#mails a').first();
    await link.waitFor();
    const [approval] = await Promise.all([page.waitForEvent('popup'), link.click()]);
    await approval.click('button[data-approved=true]');

    await approval.waitForSelector('text=Approved. The order goes on.');
    await page.waitForSelector('#durable .outcome:not([hidden])');

    expect(await page.innerText('#durable .steps')).toMatch(/approved[^]*in the ledger/);
    expect(await page.innerText('#durable .outcome')).toBe('Shipped. Charged €8,990.00, once.');
  });

  test('refunds by a durable handler that answers although its process was killed', async () => {
    await page.click('#refund');
    await page.waitForSelector('#ledger >> text=refunded');
    await page.click('#crash');
    await page.waitForSelector('#durable >> text=answered 201');

    expect(await page.innerText('#durable .steps')).toContain('the recorded response');
    expect(await page.locator('#ledger tr').last().innerText()).toBe('refunded\tonce, €8,990.00\t–');
  });
});
