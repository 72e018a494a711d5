// A client as others write them: fetch and JSON.

/** An answer, read whole. Its body is empty unless it is JSON: beside the protocol, servers answer with pages. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Sends JSON. */
export function post(url: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  return send(url, { method: 'POST', ...content, headers: { 'content-type': 'application/json', ...headers } });
}

/** Sends anything. */
export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '') && text !== '';
  return { status: response.status, headers: response.headers, body: isJson ? asRecord(JSON.parse(text)) : {} };
}

/** Starts a run and tells its id. */
export async function start(url: string, workflow: string, input?: unknown): Promise<string> {
  const { status, body } = await post(`${url}/start/${workflow}`, input);
  if (status !== 202) throw new Error(`the start of ${workflow} was answered with ${status}: ${JSON.stringify(body)}`);
  return String(body['id']);
}

/** The URL of a run. */
export function runUrl(url: string, id: string, rest = ''): string {
  return `${url}/runs/${encodeURIComponent(id)}${rest}`;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return { ...value };
  throw new Error(`expected an object, got ${JSON.stringify(value)}`);
}
