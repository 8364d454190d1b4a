// Many connections that write one small row per commit, as fast as they can.
import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** A row and what is to become of it. */
export interface Write {
  readonly client: pg.Client;
  readonly id: string;
}

export class RawWriters {
  readonly #schema: string;
  readonly #clients: readonly pg.Client[];

  constructor(schema: string, clients: readonly pg.Client[]) {
    this.#schema = schema;
    this.#clients = clients;
  }

  static async connect({
    url,
    schema,
    count,
  }: {
    readonly url: string;
    readonly schema: string;
    readonly count: number;
  }): Promise<RawWriters> {
    const clients = Array.from({ length: count }, () => new pg.Client({ connectionString: url }));
    const writers = new RawWriters(schema, clients);
    try {
      for (const client of clients) await client.connect();
      await clients[0]!.query(
        `CREATE SCHEMA IF NOT EXISTS ${schema}; CREATE TABLE ${schema}.writes (id uuid NOT NULL, body text NOT NULL)`,
      );
      return writers;
    } catch (error) {
      await writers.close();
      throw error;
    }
  }

  /** One row, one commit. */
  async insert({ client, id }: Write): Promise<void> {
    await client.query({
      name: 'insert',
      text: `INSERT INTO ${this.#schema}.writes (id, body) VALUES ($1, repeat('x', 100))`,
      values: [id],
    });
  }

  /** The same with a note in the same transaction. */
  async insertAndNotify({ client, id }: Write, channel: string): Promise<void> {
    await client.query({
      name: 'insert_and_notify',
      text: `WITH written AS (INSERT INTO ${this.#schema}.writes (id, body) VALUES ($1, repeat('x', 100)))
        SELECT pg_notify($2, $3)`,
      values: [id, channel, JSON.stringify({ instance_id: id, workflow_name: 'bench_order' })],
    });
  }

  /** All of them go on writing for so long. @returns commits per second. */
  async writeFor(ms: number, one: (write: Write) => Promise<void>): Promise<number> {
    let commits = 0;
    const began = performance.now();
    const lane = async (client: pg.Client): Promise<void> => {
      while (performance.now() - began < ms) {
        await one({ client, id: randomUUID() });
        commits++;
      }
    };
    await Promise.all(this.#clients.map(lane));
    return (commits * 1000) / (performance.now() - began);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => undefined)));
  }
}
