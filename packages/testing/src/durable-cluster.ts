// A server for crash tests: on disk, with fsync, apart from the one that other test files share.

import { tmpdir } from 'node:os';
import { isProcessAlive, startPostgres, stopPostgres, type RunningPostgres, type StopMode } from '@perdure/embedded';
import { makeClusterDirectory, removeClusterDirectory } from './cluster-directory.js';
import { waitFor } from './wait-for.js';

/** A server of one's own, to be killed and restarted. It keeps its URL throughout. */
export interface DurableCluster {
  readonly url: string;
  /** Stops the server if it runs (`immediate` leaves the cleaning up to the recovery) and starts it again. */
  restart(mode?: StopMode): Promise<void>;
  /** Kills the server with SIGKILL; resolves when it is gone. A statement that is running may still commit. */
  kill(): Promise<void>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

/** Starts a durable cluster in a temporary directory, in about a second. Stop it in `afterAll`. */
export async function startDurableCluster(): Promise<DurableCluster> {
  const directory = await makeClusterDirectory(tmpdir());
  let server = await startPostgres({ directory });
  const { url } = server;
  return {
    url,
    restart: async (mode) => {
      await stopPostgres(directory, mode);
      server = await startAgain(directory, url);
    },
    kill: async () => {
      process.kill(server.pid, 'SIGKILL');
      await waitFor(async () => !(await isProcessAlive(server.pid)), {
        what: `the killed server ${server.pid} to be gone`,
      });
    },
    stop: () => removeClusterDirectory(directory),
  };
}

async function startAgain(directory: string, url: string): Promise<RunningPostgres> {
  const server = await startPostgres({ directory });
  if (server.url === url) return server;
  throw new Error(
    `the restarted server is at ${server.url}, because another program took the port of ${url} in the meantime. What ` +
      `is tested still uses the old URL. Run the test again.`,
  );
}
