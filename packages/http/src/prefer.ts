// The Prefer header (RFC 7240): whether and how long a client wants to wait for the outcome.

/** What a client prefers. A preference that is malformed or unknown is ignored, as the RFC demands. */
export interface Preferences {
  /** Answer at once with 202, or when `wait` is over. */
  readonly respondAsync: boolean;
  /** How long to wait for the outcome, in seconds. */
  readonly waitSeconds: number | undefined;
}

const none: Preferences = { respondAsync: false, waitSeconds: undefined };
// Longer ones have no honest use, and would take their time.
const longest = 1_000;

/**
 * Reads a Prefer header, or several joined by commas. Of a preference that is given twice, the first counts.
 *
 * @example
 * parsePrefer('respond-async, wait=10'); // { respondAsync: true, waitSeconds: 10 }
 */
export function parsePrefer(header: string | null | undefined): Preferences {
  if (!header || header.length > longest) return none;
  const found = new Map<string, string>();
  for (const preference of splitOutsideQuotes(header)) {
    const [, name = '', value = ''] =
      /^\s*([^\s=;"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*))?\s*(?:;.*)?$/s.exec(preference) ?? [];
    const key = name.toLowerCase();
    if (key !== '' && !found.has(key)) found.set(key, value.startsWith('"') ? unquoted(value) : value);
  }
  const wait = found.get('wait');
  return {
    respondAsync: found.has('respond-async'),
    waitSeconds: wait !== undefined && /^\d{1,9}$/.test(wait) ? Number(wait) : undefined,
  };
}

function splitOutsideQuotes(header: string): readonly string[] {
  return header.match(/(?:"(?:[^"\\]|\\.)*"|[^,"]|")+/g) ?? [];
}

function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/g, '$1');
}
