// Who may do what. A run that the sender may not see answers exactly as one that does not exist would.

import { PerdureError, type RunInfo } from 'perdure';
import { notFound, paramOf, type Call, type VisibleRun } from './call.js';
import type { HttpAction, Verdict } from './options.js';
import { verifyToken, type TokenAction } from './tokens.js';

const noBody = new Uint8Array();

/** Thrown for an answer that `authorize` has made itself. */
export class OwnAnswer extends Error {
  readonly response: Response;

  constructor(response: Response) {
    super('authorize has answered');
    this.response = response;
  }
}

/** Whose request it is, as far as anybody has said. */
export async function principalOf({ info, settings, request }: Call): Promise<string | undefined> {
  return info.principal ?? (await settings.idempotency.principal?.(request));
}

/** Lets a start pass, or throws REQUEST_UNAUTHENTICATED, REQUEST_FORBIDDEN, or the hook's own answer. */
export async function authorizeStart(call: Call, workflow: string, rawBody: Uint8Array): Promise<void> {
  const asked = { action: 'start', workflow, run: undefined, topic: undefined, rawBody } as const;
  demand(await decide(call, asked), 'start');
}

/** What is to be done with a run. */
interface RunAction {
  readonly action: TokenAction;
  readonly topic?: string;
  readonly rawBody?: Uint8Array;
}

/** The run in the path. Throws RUN_ID_INVALID, RUN_NOT_FOUND, REQUEST_UNAUTHENTICATED, REQUEST_FORBIDDEN, or the hook's own answer. */
export async function authorizeRun(call: Call, { action, topic, rawBody = noBody }: RunAction): Promise<VisibleRun> {
  const id = paramOf(call, 'id');
  const hasLeave = hasToken(call, { run: id, action, topic });
  const found = await findVisible(call, id);
  if (!hasLeave) {
    const asked = { action, topic, rawBody, workflow: found?.run.workflow, run: found?.run };
    const verdict = await decide(call, asked);
    // A refusal must not tell that there is such a run: so it is the answer that there would be without one.
    const isHidden = verdict !== true && found !== undefined;
    demand(isHidden ? await decide(call, { ...asked, workflow: undefined, run: undefined }) : verdict, action);
    if (isHidden) throw new PerdureError('RUN_NOT_FOUND', { id });
  }
  if (found === undefined) throw new PerdureError('RUN_NOT_FOUND', { id });
  return found;
}

/** Whether the sender may read a run, as far as `authorize` says. */
export async function mayRead(call: Call, id: string): Promise<boolean> {
  if (call.settings.authorize === undefined) return true;
  const found = await findVisible(call, id);
  if (found === undefined) return false;
  const { run } = found;
  const asked = { action: 'read', workflow: run.workflow, run, topic: undefined, rawBody: noBody } as const;
  return (await decide(call, asked)) === true;
}

async function findVisible({ engine, settings }: Call, id: string): Promise<VisibleRun | undefined> {
  const run = await engine.runs.get(id);
  const exposed = run === undefined ? undefined : settings.exposures.get(run.workflow);
  return run === undefined || exposed === undefined ? undefined : { run, exposed };
}

// A token in the URL is meant for us. A bearer token may be the application's own, and is left to its hook.
function hasToken(
  { settings, url, request }: Call,
  scope: { run: string; action: TokenAction; topic: string | undefined },
): boolean {
  const { secrets } = settings;
  if (secrets.length === 0) return false;
  const inUrl = url.searchParams.get('token');
  if (inUrl !== null) {
    if (verifyToken(inUrl, scope, secrets)) return true;
    throw new PerdureError('REQUEST_UNAUTHENTICATED', { action: scope.action });
  }
  const bearer = bearerOf(request);
  return bearer !== undefined && verifyToken(bearer, scope, secrets);
}

/** The bearer token of a request. */
export function bearerOf({ headers }: Request): string | undefined {
  return /^bearer +(.*\S)\s*$/i.exec(headers.get('authorization') ?? '')?.[1];
}

async function decide(
  call: Call,
  asked: {
    readonly action: HttpAction;
    readonly workflow: string | undefined;
    readonly run: RunInfo | undefined;
    readonly topic: string | undefined;
    readonly rawBody: Uint8Array;
  },
): Promise<Verdict> {
  const { authorize } = call.settings;
  if (authorize === undefined) return asked.action === 'start' || asked.action === 'read' ? true : 'unauthenticated';
  return authorize({ ...asked, request: call.request, principal: await principalOf(call) });
}

function demand(verdict: Verdict, action: HttpAction): void {
  if (verdict === true) return;
  if (verdict instanceof Response) throw new OwnAnswer(verdict);
  throw new PerdureError(verdict === false ? 'REQUEST_FORBIDDEN' : 'REQUEST_UNAUTHENTICATED', { action });
}

/** The exposure of the workflow in the path, if it may be started. Throws ROUTE_NOT_FOUND. */
export function requireStartable(call: Call): VisibleRun['exposed'] {
  const exposed = call.settings.exposures.get(paramOf(call, 'workflow'));
  if (exposed === undefined || exposed.start === false) throw notFound(call);
  return exposed;
}
