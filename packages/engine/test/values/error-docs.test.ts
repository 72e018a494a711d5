import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { errorTable, isErrorCode } from '../../src/values/errors.js';
import { sampleDetails } from './error-samples.js';

const docs = readFileSync(new URL('../../../../docs/reference/errors.md', import.meta.url), 'utf8');
const codes = Object.keys(errorTable).filter(isErrorCode);

test('the docs have an entry for every code of the table, in its order, and for no other', () => {
  const documented = [...docs.matchAll(/^### `(.*)`$/gm)].map((heading) => heading[1]);

  expect(documented).toEqual(codes);
});

test.each(codes)('the entry of %s says what the table says', (code) => {
  const { httpStatus, isRetryable, what, remedy } = errorTable[code];
  const details = Object.keys(sampleDetails[code]).map((name) => `\`${name}\``);
  const entry = docs.split(`### \`${code}\`\n`)[1]?.split('\n#')[0]?.trim();

  expect(entry).toBe(
    `HTTP ${httpStatus} · ${isRetryable ? 'retryable' : 'not retryable'} · details: ${details.join(', ')}\n\n` +
      `${what}\n\n**What to do:** ${remedy}`,
  );
});
