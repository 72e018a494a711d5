// The installed version of a package, also of one whose package.json is not exported.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

export function packageVersion(name) {
  const files = require.resolve.paths(name).map((folder) => join(folder, name, 'package.json'));
  const file = files.find((candidate) => existsSync(candidate));
  return file === undefined ? 'not installed' : JSON.parse(readFileSync(file, 'utf8')).version;
}
