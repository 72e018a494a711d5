// The fenced ts and sql blocks of the Markdown pages, as programs. A comment `// → text` says what its line prints.
// An HTML comment `<!-- test: as shop_app -->` above a block has it run as that database role.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One block of a page. */
export interface Snippet {
  /** Of its opening fence. */
  readonly line: number;
  readonly language: 'ts' | 'sql';
  readonly code: string;
  /** What it says that it prints, line by line. */
  readonly prints: readonly string[];
  readonly role: string | undefined;
}

/** A Markdown file. */
export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly snippets: readonly Snippet[];
}

/** README.md, those of the examples and of some packages, and everything under docs/. */
export function readPages(): readonly Page[] {
  const paths = [
    'README.md',
    'examples/README.md',
    'packages/testing/README.md',
    'packages/http/README.md',
    'packages/nestjs/README.md',
    'packages/express/README.md',
    ...listMarkdown('docs'),
  ];
  return paths.map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, text, snippets: findSnippets(text) };
  });
}

function listMarkdown(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return listMarkdown(path);
      return entry.name.endsWith('.md') ? [path] : [];
    })
    .sort();
}

const fencedBlock = /(?:^<!-- test: as (\w+) -->\n)?^```(ts|sql)\n([^]*?)^```$/gm;
const printed = /\/\/ → (.*)$/gm;

function findSnippets(text: string): Snippet[] {
  return [...text.matchAll(fencedBlock)].map((match) => {
    const [, role, language, code = ''] = match;
    return {
      line: text.slice(0, match.index).split('\n').length + (role === undefined ? 0 : 1),
      language: language === 'sql' ? 'sql' : 'ts',
      code,
      prints: [...code.matchAll(printed)].map(([, expected = '']) => expected.trimEnd()),
      role,
    };
  });
}

/** Where a page's relative links lead, from the root of the repository. */
export function findLinks({ path, text }: Page): readonly string[] {
  const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
    .map((target) => join(folder, target));
}
