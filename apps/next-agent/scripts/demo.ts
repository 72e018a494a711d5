// The demo: builds the application, starts it on a Postgres of its own, and keeps it running through every kill.
//   npm run demo:next                  then open the page
//   npm run demo:next -- --script      plays the whole story in a headless browser; exits 0 only if it is true

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '@perdure/embedded';
import { startServer } from './server.js';
import { playStory } from './story.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const isScripted = process.argv.includes('--script');

process.exitCode = await main();

async function main(): Promise<number> {
  console.log('building…');
  run('turbo', ['run', 'build', '--filter=@perdure/next', '--filter=@perdure/embedded', '--output-logs=errors-only']);
  rmSync(`${root}/apps/next-agent/.next/standalone`, { recursive: true, force: true });
  run('next', ['build'], `${root}/apps/next-agent`);
  const postgres = await startPostgres({
    database: isScripted ? `agent_${process.pid}` : 'agent',
    stopWhenIdleMs: 60_000,
  });
  const server = await startServer(postgres.url, isScripted ? { PATIENCE: '5 minutes' } : {});
  if (isScripted) {
    const status = await playStory(server, postgres.url);
    await server.stop();
    return status;
  }
  console.log(
    `\nAftercare is at ${server.url}\nKill it from its page, or from here: kill -9 ${server.pid()}. Ctrl-C ends the demo.`,
  );
  await new Promise((resolve) => process.once('SIGINT', resolve));
  await server.stop();
  return 0;
}

function run(tool: string, options: string[], cwd = root): void {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', TURBO_TELEMETRY_DISABLED: '1' };
  execFileSync(`${root}/node_modules/.bin/${tool}`, options, {
    cwd,
    env,
    stdio: isScripted ? 'inherit' : ['ignore', 'ignore', 'inherit'],
  });
}
