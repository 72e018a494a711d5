// Says what it was started with, then repeats every line, until "end".

import { createInterface } from 'node:readline';
import { seededRandom } from '@perdure/testing';

console.log(JSON.stringify({ type: 'ready', args: process.argv.slice(2), colour: process.env['COLOUR'] }));
console.log(JSON.stringify({ type: 'random', value: seededRandom(1).integer(1, 6) }));
for await (const line of createInterface(process.stdin)) {
  if (line === 'end') process.exit(7);
  console.log(`heard ${line}`);
}
