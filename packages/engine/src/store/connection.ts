// One connection to Postgres, and how it is opened. Who needs order or LISTEN holds one; the rest share the pool in
// database.ts. Never decides what to do about a failure: that is the caller's.

import pg from 'pg';
import { crashPoint } from '../values/process-state.js';
import { isPreparedStatementFault, isSilence } from './failures.js';
import { textFor, type Queryable, type Row, type Statement } from './sql.js';

/** What all connections of one engine have in common. */
export interface Dialect {
  readonly schema: string;
  /** Named statements and session settings may be used: no pooler in transaction mode stands between. */
  isDirect: boolean;
}

// Plans that never flip as tables grow: the engine's statements are written for index lookups and nothing else.
const plannerSettings = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_bitmapscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
  'default_transaction_isolation=read\\ committed',
];

/** The startup options that pin plans and isolation. A pooler in transaction mode refuses them. */
export const startupOptions = plannerSettings.map((setting) => `-c ${setting}`).join(' ');

// The types of the driver stay inside of this layer: those who use the engine need not install them.

/** How to reach Postgres, in the driver's words: a subset of the configuration of `pg`. */
export interface ConnectionConfig {
  readonly connectionString?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | (() => string | Promise<string>) | undefined;
  readonly database?: string | undefined;
  readonly ssl?: boolean | object | undefined;
}

/** The same, with what the engine adds to it. */
export interface DriverConfig extends ConnectionConfig {
  readonly application_name?: string;
  readonly connectionTimeoutMillis?: number;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelayMillis?: number;
  readonly query_timeout?: number;
  readonly options?: string;
}

/** The part of the driver's clients and pools that statements need. */
export interface DriverClient {
  query(query: { text: string; values: unknown[]; name?: string }): Promise<{ rows: Row[] }>;
}

/** A connection of one's own. */
export class Connection implements Queryable {
  readonly #client: pg.Client;
  readonly #dialect: Dialect;
  #isOpen = true;

  private constructor(client: pg.Client, dialect: Dialect) {
    this.#client = client;
    this.#dialect = dialect;
  }

  /** Connects; throws what the driver throws. */
  static async open(config: DriverConfig, dialect: Dialect): Promise<Connection> {
    const client = new pg.Client(dialect.isDirect ? { ...config, options: joinOptions(config.options) } : config);
    const connection = new Connection(client, dialect);
    client.on('error', () => (connection.#isOpen = false)); // an idle connection that dies must not end the process
    client.on('end', () => (connection.#isOpen = false));
    await client.connect();
    return connection;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async query(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await runStatement(this.#client, this.#dialect, statement, values);
    } catch (error) {
      if (isSilence(error)) void this.close(); // the driver would go on waiting for the answer
      throw error;
    }
  }

  /** Calls back with each notification, and once when the connection ends. */
  async listen(channel: string, onNotification: (payload: string) => void, onEnd: () => void): Promise<void> {
    this.#client.on('notification', (message) => onNotification(message.payload ?? ''));
    this.#client.on('end', onEnd);
    await this.#client.query(`listen ${pg.escapeIdentifier(channel)}`);
  }

  /** Ends it; never throws. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#client.end().catch(() => undefined);
  }
}

/** Runs a statement on a driver's client: prepared where that is safe, and from then on unprepared where it is not. */
export async function runStatement(
  client: DriverClient,
  dialect: Dialect,
  statement: Statement,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  crashPoint(`before:${statement.name}`);
  const rows = await send(client, dialect, statement, values);
  crashPoint(`after:${statement.name}`);
  return rows;
}

async function send(
  client: DriverClient,
  dialect: Dialect,
  { name, variant = '', text }: Statement,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  const query = { text: textFor(text, dialect.schema), values: [...values] };
  if (!dialect.isDirect) return (await client.query(query)).rows;
  try {
    return (await client.query({ ...query, name: name + variant })).rows;
  } catch (error) {
    if (!isPreparedStatementFault(error)) throw error;
    dialect.isDirect = false;
    return (await client.query(query)).rows;
  }
}

function joinOptions(options: string | undefined): string {
  return options === undefined ? startupOptions : `${startupOptions} ${options}`;
}
