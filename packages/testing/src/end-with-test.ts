// Closes what a test made when it is over, or what was made outside of a test when the test file is done. Runners without global
// hooks do neither. Jest and Vitest load a copy of this module per test file, so the lists below belong to one file.

/** Something to close; safe to repeat. */
export interface Closeable {
  close(): Promise<void>;
}

type Hook = (act: () => Promise<void> | void) => void;
declare const beforeEach: Hook | undefined;
declare const afterEach: Hook | undefined;
declare const afterAll: Hook | undefined;

const madeByTest = new Set<Closeable>();
const madeByFile = new Set<Closeable>();
const place = { isInTest: false };

/** Has it closed when the current test ends, or the test file. */
export function endWithTest(made: Closeable): void {
  (place.isInTest ? madeByTest : madeByFile).add(made);
}

/** It has been closed already. */
export function hasEnded(made: Closeable): void {
  madeByTest.delete(made);
  madeByFile.delete(made);
}

async function closeAll(made: ReadonlySet<Closeable>): Promise<void> {
  await Promise.all([...made].map((closeable) => closeable.close()));
}

if (typeof beforeEach !== 'undefined' && typeof afterEach !== 'undefined' && typeof afterAll !== 'undefined') {
  beforeEach(() => {
    place.isInTest = true;
  });
  afterEach(async () => {
    place.isInTest = false;
    await closeAll(madeByTest);
  });
  afterAll(() => closeAll(madeByFile));
}
