// The process of one contestant: plays one role of one workload against one database, sends its figures to the parent.
// Started by stage.mjs with its task as JSON in argv; ends itself when done, and when its parent is gone.

import { marks } from './programs.mjs';

const task = JSON.parse(process.argv[2]);
const listeners = new Map();
process.on('message', ({ kind, body }) => listeners.get(kind)?.(body));
process.on('disconnect', () => process.exit(1));

const parent = {
  tell: (kind, body = null) => process.send({ kind, body }),
  hear: (kind) => new Promise((resolve) => listeners.set(kind, resolve)),
  /** Forwards marks of a kind as they come. */
  forward: (kind) => marks.on(kind, (body) => process.send({ kind, body })),
};

try {
  const { roles } = await import(`../${task.workload}.mjs`);
  const peer = await import(`../peers/${task.peer}.mjs`);
  const figures = await roles[task.role](peer, task.options, parent);
  process.send({ kind: 'figures', body: figures ?? {} }, () => process.exit(0));
} catch (error) {
  process.send({ kind: 'failed', body: error?.stack ?? String(error) }, () => process.exit(1));
}
