// The engine's way to Postgres: a small pool for acts that stand alone, connections of one's own for the journal and
// the listener, and what was found out about the server when it was opened.

import pg from 'pg';
import { PerdureError } from '../values/errors.js';
import {
  Connection,
  runStatement,
  startupOptions,
  type ConnectionConfig,
  type Dialect,
  type DriverConfig,
} from './connection.js';
import { codeOf, explain, kindOf } from './failures.js';
import { PooledTransaction } from './pooled-transaction.js';
import { onlyRow, readBoolean, readNumber, statement, type Queryable, type Row, type Statement } from './sql.js';

/** Where the database is and how the engine may use it. */
export interface DatabaseOptions {
  /** Connection string, or the driver's configuration. */
  readonly connection: string | ConnectionConfig;
  /** A way around a pooler in transaction mode, for LISTEN alone. */
  readonly directConnection?: string | ConnectionConfig;
  readonly schema: string;
  /** Connections of the shared pool. */
  readonly poolSize: number;
  /** How long one connection attempt may take, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a statement may go unanswered before its connection counts as lost, in milliseconds. */
  readonly silenceMs: number;
  /** The same for the sign of life. */
  readonly vitalSilenceMs: number;
}

/** The part of the driver's clients that migrations need. */
export interface TransactionClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rowCount: number | null }>;
}

const probe = statement(
  'probe',
  `select current_setting('plan_cache_mode') = 'force_generic_plan' as is_pinned,
          current_setting('transaction_read_only') = 'on' as is_read_only,
          (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms`,
);

/** Transactions of an engine at once, which is for the caller to keep: the runs of one begin here while the database writes those of the others. */
export const maxTransactions = 2;

/** A database that answers. */
export class Database implements Queryable {
  readonly schema: string;
  /** The server without user and password, for messages. */
  readonly target: string;
  /** Whether LISTEN can work: the connection is direct, or a direct one was given. */
  readonly canListen: boolean;
  readonly #options: DatabaseOptions;
  readonly #dialect: Dialect;
  readonly #pool: pg.Pool;
  readonly #vitalPool: pg.Pool;
  readonly #transactionPool: pg.Pool;
  #isClosed = false;

  private constructor(options: DatabaseOptions, dialect: Dialect) {
    this.#options = options;
    this.#dialect = dialect;
    this.schema = options.schema;
    this.target = describe(options.connection);
    this.canListen = dialect.isDirect || options.directConnection !== undefined;
    const config = clientConfig(options, options.connection);
    const open = (max: number, silenceMs: number): pg.Pool => {
      const pinned = dialect.isDirect ? { options: startupOptions } : {};
      const pool = new pg.Pool({ ...config, ...pinned, query_timeout: silenceMs, max, idleTimeoutMillis: 30_000 });
      return pool.on('error', () => undefined); // an idle connection that dies is replaced at its next use
    };
    this.#pool = open(options.poolSize, options.silenceMs);
    this.#vitalPool = open(1, options.vitalSilenceMs);
    this.#transactionPool = open(maxTransactions + 1, options.silenceMs); // and one for what they wait for
  }

  /**
   * Connects once and finds out what stands between: a pooler in transaction mode refuses or drops the startup options.
   * Throws DATABASE_UNREACHABLE or DATABASE_READ_ONLY.
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const target = describe(options.connection);
    try {
      const facts = await findFacts(options);
      if (facts.isReadOnly) throw new PerdureError('DATABASE_READ_ONLY', { target });
      return new Database(options, { schema: options.schema, isDirect: facts.isDirect });
    } catch (error) {
      throw explain(error, target);
    }
  }

  /**
   * Runs one statement on the pool; a failure that left nothing behind is tried again, a few times.
   * Throws DATABASE_UNREACHABLE when there is no connection, or it broke.
   */
  async query(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#queryOn(this.#pool, statement, values);
  }

  /** A connection for the sign of life alone: statements that wait for a lock must not make an executor look dead. */
  get vital(): Queryable {
    return { query: (statement, values) => this.#queryOn(this.#vitalPool, statement, values) };
  }

  /** For what a transaction waits for: statements of the pool may be waiting for its locks. */
  get beside(): Queryable {
    return { query: (statement, values) => this.#queryOn(this.#transactionPool, statement, values) };
  }

  async #queryOn(pool: pg.Pool, statement: Statement, values: readonly unknown[]): Promise<readonly Row[]> {
    for (let attempt = 1; ; attempt++) {
      if (this.#isClosed) throw new PerdureError('ENGINE_CLOSED', { operation: 'a statement' });
      try {
        return await runStatement(pool, this.#dialect, statement, values);
      } catch (error) {
        if (kindOf(error) === 'lost') throw explain(error, this.target);
        if (attempt >= 5 || !isConflict(error)) throw error;
      }
    }
  }

  /** A transaction for several statements. `maxTransactions` at once at most. */
  async begin(): Promise<PooledTransaction> {
    return PooledTransaction.begin(await this.#transactionPool.connect(), this.#dialect);
  }

  /** A connection of one's own. */
  async connect(): Promise<Connection> {
    return Connection.open(clientConfig(this.#options, this.#options.connection), this.#dialect);
  }

  /** A connection for LISTEN. */
  async connectDirect(): Promise<Connection> {
    const { directConnection, connection } = this.#options;
    return Connection.open(clientConfig(this.#options, directConnection ?? connection), {
      schema: this.schema,
      isDirect: false, // it needs neither plans nor prepared statements
    });
  }

  /** Runs `work` inside one transaction on a connection of its own, for migrations: they may take their time. */
  async transaction<T>(work: (client: TransactionClient) => Promise<T>): Promise<T> {
    const { query_timeout: _, ...config } = clientConfig(this.#options, this.#options.connection);
    const client = new pg.Client(config);
    client.on('error', () => undefined); // its statements tell of the loss; without a listener it would end the process
    try {
      await client.connect();
      await client.query('begin isolation level read committed');
      const result = await work(client);
      await client.query('commit');
      return result;
    } finally {
      await client.end().catch(() => undefined); // which rolls back what is not committed
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#pool.end(), this.#vitalPool.end(), this.#transactionPool.end()]);
  }
}

interface Facts {
  readonly isDirect: boolean;
  readonly isReadOnly: boolean;
}

async function findFacts(options: DatabaseOptions): Promise<Facts> {
  try {
    return await askFor(options, true);
  } catch (error) {
    if (!refusesOptions(error)) throw error;
    return askFor(options, false);
  }
}

async function askFor(options: DatabaseOptions, isDirect: boolean): Promise<Facts> {
  const connection = await Connection.open(clientConfig(options, options.connection), {
    schema: options.schema,
    isDirect,
  });
  try {
    const row = onlyRow(await connection.query({ ...probe, name: '' }, []));
    return { isDirect: readBoolean(row, 'is_pinned'), isReadOnly: readBoolean(row, 'is_read_only') };
  } finally {
    await connection.close();
  }
}

/** The database's clock, in epoch milliseconds. */
export async function readDatabaseTime(queryable: Queryable): Promise<number> {
  return readNumber(onlyRow(await queryable.query(probe, [])), 'now_ms');
}

// PgBouncer: `unsupported startup parameter: options`, SQLSTATE 08P01.
function refusesOptions(error: unknown): boolean {
  return codeOf(error) === '08P01' && error instanceof Error && error.message.includes('startup parameter');
}

function isConflict(error: unknown): boolean {
  return kindOf(error) === 'transient' && codeOf(error)?.startsWith('40') === true;
}

// A network that swallows packets, as after a failover, ends no connection: the kernel would wait for a quarter of an hour,
// and for two hours on a connection that is idle.
function clientConfig(options: DatabaseOptions, connection: string | ConnectionConfig): DriverConfig {
  const config = typeof connection === 'string' ? { connectionString: connection } : connection;
  return {
    application_name: 'perdure',
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: options.silenceMs,
    ...config,
  };
}

/** Whether the driver understands a connection string. */
export function isReadable(url: string): boolean {
  try {
    describe(url);
    return true;
  } catch {
    return false;
  }
}

function describe(connection: string | ConnectionConfig): string {
  const client = new pg.Client(connection);
  return `${client.host}:${client.port}/${client.database ?? ''}`;
}
