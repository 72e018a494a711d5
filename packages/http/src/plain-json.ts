// Results, events and chunks as plain JSON for clients of any language. One way only: what is to come back goes through a schema.

/** JSON text of any value that a run can record. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(plain(value)) ?? 'null';
}

/** Dates become ISO texts, bigints texts, maps lists of pairs, sets lists, bytes base64, and errors their name and message. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  return plainInstance(value) ?? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function plainInstance(value: object): unknown {
  if (value instanceof Map) return [...value].map(plain);
  if (value instanceof Set) return [...value].map(plain);
  if (value instanceof URL || value instanceof RegExp) return String(value);
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('base64');
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  return undefined;
}
