// Array parameters in Postgres's binary format: half the client's work of text arrays (measured +10 to +20 % throughput).
// node-postgres sends a Buffer parameter in binary. Format: src/backend/utils/adt/arrayfuncs.c, array_recv.

const headerBytes = 20;
const oids = { int4: 23, int8: 20, text: 25, timestamptz: 1184 } as const;
// Postgres counts microseconds from 2000-01-01, JavaScript milliseconds from 1970-01-01.
const postgresEpochMs = Date.UTC(2000, 0, 1);

/** An `int4[]`. */
export function int4Array(values: readonly number[]): Buffer {
  const buffer = withHeader(oids.int4, values.length, values.length * 8);
  let at = headerBytes;
  for (const value of values) {
    at = buffer.writeInt32BE(4, at);
    at = buffer.writeInt32BE(value, at);
  }
  return buffer;
}

/** An `int8[]` of whole numbers within JavaScript's safe range; undefined is null. */
export function int8Array(values: readonly (number | undefined)[]): Buffer {
  return eightByteArray(oids.int8, values);
}

/** A `timestamptz[]` from epoch milliseconds; undefined is null. */
export function timestampArray(values: readonly (number | undefined)[]): Buffer {
  return eightByteArray(
    oids.timestamptz,
    values.map((ms) => (ms === undefined ? undefined : Math.round((ms - postgresEpochMs) * 1000))),
  );
}

/** A `text[]`; undefined is null. */
export function textArray(values: readonly (string | undefined)[]): Buffer {
  let bytes = 4 * values.length;
  for (const value of values) if (value !== undefined) bytes += Buffer.byteLength(value);
  const buffer = withHeader(oids.text, values.length, bytes);
  let at = headerBytes;
  for (const value of values) {
    if (value === undefined) {
      at = buffer.writeInt32BE(-1, at);
      continue;
    }
    const written = buffer.write(value, at + 4);
    at = buffer.writeInt32BE(written, at) + written;
  }
  return buffer;
}

function eightByteArray(oid: number, values: readonly (number | undefined)[]): Buffer {
  const nulls = values.reduce<number>((count, value) => (value === undefined ? count + 1 : count), 0);
  const buffer = withHeader(oid, values.length, values.length * 12 - nulls * 8);
  let at = headerBytes;
  for (const value of values) {
    if (value === undefined) {
      at = buffer.writeInt32BE(-1, at);
      continue;
    }
    at = buffer.writeInt32BE(8, at);
    at = buffer.writeInt32BE(Math.floor(value / 2 ** 32), at);
    at = buffer.writeUInt32BE(value >>> 0, at);
  }
  return buffer;
}

function withHeader(oid: number, length: number, bodyBytes: number): Buffer {
  if (length === 0) return emptyArray(oid);
  const buffer = Buffer.allocUnsafe(headerBytes + bodyBytes);
  let at = buffer.writeInt32BE(1, 0); // one dimension
  at = buffer.writeInt32BE(1, at); // may hold nulls
  at = buffer.writeInt32BE(oid, at);
  at = buffer.writeInt32BE(length, at);
  buffer.writeInt32BE(1, at); // lower bound
  return buffer;
}

function emptyArray(oid: number): Buffer {
  const buffer = Buffer.alloc(12);
  buffer.writeInt32BE(oid, 8);
  return buffer;
}
