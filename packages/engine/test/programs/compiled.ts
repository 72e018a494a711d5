// Runs a program that the test has compiled itself, with this process's environment.

import { pathToFileURL } from 'node:url';

await import(pathToFileURL(process.argv[2] ?? '').href);
