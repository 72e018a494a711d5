// A request that the server refused, as an error.

/** What the server answered in place of what was asked: problem details as RFC 9457 describes them. Match on `code`. */
export class PerdureRequestError extends Error {
  override readonly name = 'PerdureRequestError';
  readonly status: number;
  readonly code: string;
  /** What is wrong with the input, each with a JSON pointer into it. */
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];

  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    const { code, title, detail, errors } = problem;
    super(text(detail) ?? text(title) ?? `the server answered with status ${status}`);
    this.status = status;
    this.code = text(code) ?? 'UNKNOWN';
    this.errors = Array.isArray(errors) ? errors.filter(isInputError) : [];
  }
}

/** Reads the refusal of a response; one that is no problem document, as of a proxy, has its status alone. */
export async function readRefusal(response: Response): Promise<PerdureRequestError> {
  const body: unknown = await response.json().catch(() => undefined);
  const problem = isRecord(body) ? body : {};
  if (response.status !== 404 || text(problem['code']) !== undefined) {
    return new PerdureRequestError(response.status, problem);
  }
  const detail = `there is nothing of Perdure at ${response.url}. Check \`basePath\`, and where the catch-all route stands.`;
  return new PerdureRequestError(response.status, { detail });
}

/** Whether a value is an object whose properties may be looked at. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInputError(value: unknown): value is { pointer: string; detail: string } {
  return isRecord(value) && typeof value['pointer'] === 'string' && typeof value['detail'] === 'string';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
