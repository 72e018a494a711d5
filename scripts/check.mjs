// Runs every check, also after one has failed, and says at the end which ones did.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

// What is built comes first: the sample applications are compiled against the packages as users get them.
const checks = [
  'build',
  'format:check',
  'lint',
  'architecture',
  'conformance',
  'migrations:check',
  'types',
  'unused',
  'packages',
];

const results = checks.map((check) => {
  console.log(`\n── ${check}`);
  const started = Date.now();
  const { status } = spawnSync('npm', ['run', '--silent', check], { stdio: 'inherit' });
  return { check, passed: status === 0, seconds: ((Date.now() - started) / 1000).toFixed(1) };
});

console.log('');
for (const { check, passed, seconds } of results)
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${check} (${seconds} s)`);
// The number of failed checks, which .ci/run adds up.
process.exitCode = results.filter(({ passed }) => !passed).length;
