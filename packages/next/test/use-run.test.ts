// The hook on the server. In browsers it is driven by the sample application's test.

import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from '@jest/globals';
import { useRun } from '../src/client.js';

function Shown({ id }: { readonly id: string | undefined }): string {
  const { connection, status, isFinal } = useRun(id);
  return `${connection} ${String(status)} ${isFinal}`;
}

test.each([
  ['order-7', 'connecting undefined false'],
  [undefined, 'idle undefined false'],
])('rendered on the server, run %s is what the first render in the browser shows', (id, shown) => {
  expect(renderToString(createElement(Shown, { id }))).toBe(shown);
});
