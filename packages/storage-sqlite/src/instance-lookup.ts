// Finds rows of instances for one commit, each once.
import { InvalidArgumentError } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import { statementText } from './statement-text.js';
import type { TableNames } from './table-names.js';

const select = statementText(
  ({ instances }) => `SELECT id, owner, start_token AS startToken, claims FROM ${instances} WHERE instance_id = ?`,
);

/** An instance's row, as far as a commit has to know it. */
export interface InstanceRow {
  readonly id: number;
  readonly owner: string | null;
  readonly startToken: string;
  /** The number of its latest claim, 0 before the first; an owned start counts. */
  readonly claims: number;
}

export class InstanceLookup {
  readonly #connection: SqliteConnection;
  readonly #sql: string;
  readonly #found = new Map<string, InstanceRow | undefined>();

  constructor(connection: SqliteConnection, tables: TableNames) {
    this.#connection = connection;
    this.#sql = select(tables);
  }

  find(instanceId: string): InstanceRow | undefined {
    if (!this.#found.has(instanceId)) this.#found.set(instanceId, this.#connection.get<InstanceRow>(this.#sql, instanceId));
    return this.#found.get(instanceId);
  }

  /** @throws InvalidArgumentError when there is no such instance. */
  get(instanceId: string): InstanceRow {
    const row = this.find(instanceId);
    if (row === undefined) {
      throw new InvalidArgumentError(`there is no instance ${JSON.stringify(instanceId)} to which this could belong`, {
        argument: 'instanceId',
      });
    }
    return row;
  }

  /** Remembers a row that was just written. */
  add(instanceId: string, row: InstanceRow): void {
    this.#found.set(instanceId, row);
  }
}
