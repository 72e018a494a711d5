// What a run needs of the database in passing, and the database refuses, as for a right that is missing: an error in the log, and another try
// later, as for what the journal cannot write. It is nothing that workflow code could go on with, and it must not end the process.

import type { Run } from './run.js';

/** What to do about a refusal; `what` is for the log. */
export function refused(run: Run, what: string): (err: unknown) => void {
  return (err) => {
    run.host.logger.error({ err, runId: run.id }, `${what}: the run is released, and tries again later`);
    run.host.lost(run, true);
  };
}
