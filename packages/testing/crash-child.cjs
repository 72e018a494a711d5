// Loaded first into every child process of `spawnProcess`: arms its crash point, and ends it when its parent is gone.
// Plain JavaScript outside src: it loads before any TypeScript loader, and is the same file for both builds.

const { AsyncLocalStorage } = require('node:async_hooks');

const sharedKey = Symbol.for('perdure/v1');

exports.armCrashPoint = function armCrashPoint(name, nth = 1) {
  // The engine makes this object unless it is there, so one that is made here must be whole.
  globalThis[sharedKey] ??= { storage: new AsyncLocalStorage() };
  let reached = 0;
  globalThis[sharedKey].crashPoint = (point) => {
    if (point !== name) return;
    reached += 1;
    if (reached === nth) process.kill(process.pid, 'SIGKILL');
  };
};

const { PERDURE_CRASH_AT: armed } = process.env;
if (armed) {
  // Names may hold colons ("step:charge"); the count stands after the last one.
  const [, name, nth] = /^(.+):(\d+)$/.exec(armed) ?? [];
  if (name === undefined) {
    throw new Error(
      `PERDURE_CRASH_AT is "${armed}", which names no crash point and count, so none is armed. Write it as "name:nth".`,
    );
  }
  exports.armCrashPoint(name, Number(nth));
}

// A test runner's worker has a channel as well, and may load this file for `armCrashPoint`.
if (process.channel && process.env.PERDURE_SPAWNED_BY === String(process.ppid)) {
  // A parent that was killed could not end its children; left alone they would go on working on a dropped database.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}
