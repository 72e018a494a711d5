// A transaction of the engine's own, for the few acts that are more than one statement. Those of applications are none of its business.

import { runStatement, type Dialect, type DriverClient } from './connection.js';
import { statement, type Queryable, type Row, type Statement } from './sql.js';

const begin = statement('begin', 'begin isolation level read committed');
const commit = statement('commit', 'commit');
const rollback = statement('rollback', 'rollback');

/** What a transaction needs of a client that a pool has lent: an interface, because the driver's types stay inside of this layer. */
interface BorrowedClient extends DriverClient {
  on(event: 'error', listener: () => void): unknown;
  off(event: 'error', listener: () => void): unknown;
  /** `isLost`: it is of no use to anybody any more. */
  release(isLost: boolean): void;
}

/** Several statements in one transaction, on a connection that is borrowed meanwhile. Ended once, by `commit` or by `abandon`. */
export class PooledTransaction implements Queryable {
  readonly #client: BorrowedClient;
  readonly #dialect: Dialect;
  #hasEnded = false;

  private constructor(client: BorrowedClient, dialect: Dialect) {
    this.#client = client;
    this.#dialect = dialect;
  }

  /** Begins one; throws what the driver throws. */
  static async begin(client: BorrowedClient, dialect: Dialect): Promise<PooledTransaction> {
    const transaction = new PooledTransaction(client, dialect);
    client.on('error', ignore); // the next statement tells of the loss
    try {
      await transaction.query(begin, []);
    } catch (error) {
      transaction.#end(true);
      throw error;
    }
    return transaction;
  }

  async query(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]> {
    return runStatement(this.#client, this.#dialect, statement, values);
  }

  /** Throws what the driver throws: after a lost answer nobody knows whether it took effect. */
  async commit(): Promise<void> {
    try {
      await this.query(commit, []);
    } catch (error) {
      this.#end(true);
      throw error;
    }
    this.#end(false);
  }

  /** Undoes it, unless it has ended; never throws. */
  async abandon(): Promise<void> {
    if (this.#hasEnded) return;
    const isLost = await this.query(rollback, []).then(
      () => false,
      () => true,
    );
    this.#end(isLost);
  }

  #end(isLost: boolean): void {
    this.#hasEnded = true;
    this.#client.off('error', ignore);
    this.#client.release(isLost);
  }
}

function ignore(): void {
  // The error of a connection that is lost while nothing is asked of it.
}
