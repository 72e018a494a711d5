// Compiles migrations/*.sql into a TypeScript module, because bundlers lose files that are only read at run time.
//   node scripts/build-migrations.mjs            writes the module
//   node scripts/build-migrations.mjs --check    fails when the module is out of date
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../migrations/', import.meta.url));
const target = fileURLToPath(new URL('../packages/engine/src/store/migrations.generated.ts', import.meta.url));

function readMigrations() {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.sql')) : [];
  return files.sort().map((file, index) => {
    const [, number, name] = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file) ?? [];
    if (name === undefined) fail(`migrations/${file}: the name must look like 0001_name.sql`);
    if (Number(number) !== index + 1) {
      fail(`migrations/${file}: expected number ${index + 1}; numbers start at 0001, without gaps or repeats`);
    }
    return { id: index + 1, name, sql: readFileSync(folder + file, 'utf8') };
  });
}

function render(migrations) {
  const entries = migrations.map(
    ({ id, name, sql }) => `  {\n    id: ${id},\n    name: '${name}',\n    sql: \`${escapeTemplate(sql)}\`,\n  },\n`,
  );
  return `// Generated from migrations/*.sql by scripts/build-migrations.mjs. Edit those files and run \`npm run migrations\`.
// {schema} stands for the schema's name.
export const migrations: readonly { readonly id: number; readonly name: string; readonly sql: string }[] = [
${entries.join('')}];
`;
}

function escapeTemplate(text) {
  return text.replaceAll('\r\n', '\n').replace(/[\\`]|\$\{/g, '\\$&');
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const expected = render(readMigrations());
const current = existsSync(target) ? readFileSync(target, 'utf8') : undefined;

if (!process.argv.includes('--check')) {
  writeFileSync(target, expected);
} else if (current !== expected) {
  fail(`${basename(target)} does not match migrations/*.sql. Run: npm run migrations`);
}
