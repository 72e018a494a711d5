// Maps the behaviours of tests/conformance/behaviours.json to the tests that prove them: a test says so by their numbers
// in brackets at the end of its name, as in `test('a failed step throws the same error on replay [4]', …)`.
// Fails for a behaviour with neither a test nor a reason, for one with both, and for a number that does not exist.
// With --print it prints the whole map.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const behaviours = JSON.parse(readFileSync('tests/conformance/behaviours.json', 'utf8'));
const testsOf = new Map(behaviours.map(({ number }) => [number, []]));
const faults = [];
// The first argument of test(…), test.each(…)(…) or test.each`…`(…), if it ends with numbers in brackets.
const testName = /(?:\btest|\bit|[)`])\(\s*([`'"])((?:(?!\1)[^\\]|\\.)*?)\s*\[([\d, –-]+)\]\1/g;

for (const file of testFiles()) {
  const text = readFileSync(file, 'utf8');
  for (const [, , title, numbers] of text.matchAll(testName)) {
    for (const number of expand(numbers)) {
      const tests = testsOf.get(number);
      if (tests === undefined) faults.push(`${file}: "${title}" names behaviour ${number}, which does not exist.`);
      else tests.push(`${file}: ${title}`);
    }
  }
}

for (const { number, behaviour, reason } of behaviours) {
  const { length } = testsOf.get(number);
  if (length === 0 && reason === undefined) faults.push(`${number} has neither a test nor a reason: ${behaviour}`);
  if (length > 0 && reason !== undefined)
    faults.push(`${number} has a test now, so its reason in behaviours.json can go.`);
}

if (process.argv.includes('--print')) print();
for (const fault of faults) console.error(fault);
const proved = [...testsOf.values()].filter((tests) => tests.length > 0).length;
console.log(`conformance: ${proved} of ${behaviours.length} behaviours proved, ${faults.length} problems`);
process.exitCode = faults.length > 0 ? 1 : 0;

function print() {
  for (const { number, behaviour, reason } of behaviours) {
    console.log(`\n${number}. ${behaviour}`);
    for (const test of testsOf.get(number)) console.log(`   ${test}`);
    if (reason !== undefined) console.log(`   not proved: ${reason}`);
  }
}

function testFiles() {
  const folders = ['packages', 'examples'].flatMap((parent) =>
    readdirSync(parent).map((name) => `${parent}/${name}/test`),
  );
  return ['tests', ...folders]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.test.ts'))
        .map((file) => `${folder}/${String(file)}`),
    );
}

function expand(numbers) {
  return numbers.split(',').flatMap((part) => {
    const [from, to = from] = part.split(/[–-]/).map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}
