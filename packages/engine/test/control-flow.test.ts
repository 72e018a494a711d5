// What Next throws to answer a request is never recorded as the error of a run.

import { expect, test } from '@jest/globals';
import { isControlFlow, runStep, workflow } from '../src/index.js';
import { useEngineDatabase } from './support/test-engine.js';

const db = useEngineDatabase();

const digests = {
  redirect: 'NEXT_REDIRECT;replace;/orders;307;',
  notFound: 'NEXT_HTTP_ERROR_FALLBACK;404',
  cookies: 'DYNAMIC_SERVER_USAGE',
};

test.each(Object.entries(digests))('%s() is told from other errors', (_name, digest) => {
  expect(isControlFlow(thrownByNext(digest))).toBe(true);
  expect(isControlFlow(thrownByNext(`the text ${digest}`))).toBe(false);
  expect(isControlFlow({ digest })).toBe(false);
});

test('redirect() in a step fails it at once with a word on what to do', async () => {
  let attempts = 0;
  const moved = workflow('redirects in a step', async () =>
    runStep('redirect', () => fail((attempts += 1)), { retry: { maxAttempts: 3, delay: 1 } }),
  );
  const engine = await db.launchEngine({ workflows: [moved] });

  const run = await engine.startWorkflow(moved);

  await expect(run.result()).rejects.toMatchObject({
    code: 'CONTROL_FLOW_IN_RUN',
    message: expect.stringContaining('step "redirect"'),
  });
  expect(attempts).toBe(1);
});

test('redirect() in workflow code fails its run, and does not redirect who asks for the result', async () => {
  const moved = workflow('redirects', async () => fail(1));
  const engine = await db.launchEngine({ workflows: [moved] });

  const error: unknown = await (await engine.startWorkflow(moved)).result().catch((reason: unknown) => reason);

  expect(error).toMatchObject({ code: 'CONTROL_FLOW_IN_RUN', details: { call: 'redirect()' } });
  expect(isControlFlow(error)).toBe(false);
});

function thrownByNext(digest: string): Error {
  return Object.assign(new Error('NEXT'), { digest });
}

function fail(_attempt: number): never {
  throw thrownByNext(digests.redirect);
}
