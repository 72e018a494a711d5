// Which operating system user the server runs as. Postgres refuses to run as root, so a root caller starts it as another
// user; everyone else starts it as himself. Nothing here changes the user of this process.

import { stat } from 'node:fs/promises';

/** A user and group to start programs as; both absent means the caller's own. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

// The id of "nobody" on Linux. It needs no account to be created, and owns nothing that the server could harm.
const nobody: ServerUser = { uid: 65534, gid: 65534 };

/** The user for a server on `dataDirectory`: its owner if it exists, else nobody, if the caller is root. */
export async function chooseServerUser(dataDirectory: string): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  const owner = await stat(dataDirectory).catch(() => undefined);
  if (owner === undefined || owner.uid === 0) return nobody;
  return { uid: owner.uid, gid: owner.gid };
}
