// Starts a child that would run for ever, says its number, and waits to be killed.

import { spawnProcess } from '@perdure/testing';

const child = spawnProcess(process.argv[2] ?? '');
await child.message('ready');
console.log(JSON.stringify({ type: 'started', pid: child.pid }));
