// Many connections that write one small row per commit, as fast as they can.
import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** A row and what is to become of it. */
export interface Write {
  readonly client: pg.Client;
  readonly id: string;
}

export type WayOfWriting = (write: Write) => Promise<void>;

/** Writers at work. */
export interface Writing {
  /** Until now. */
  commits(): number;
  /** The way of each commit that begins from now on. */
  goOnBy(way: WayOfWriting): void;
  /** @throws what any of them has failed with. */
  stop(): Promise<void>;
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

  /** All of them write from now on without a pause, one row after the other in the way that is set at that moment. */
  write(way: WayOfWriting): Writing {
    let [current, isOver, commits] = [way, false, 0];
    const lane = async (client: pg.Client): Promise<void> => {
      while (!isOver) {
        await current({ client, id: randomUUID() });
        commits++;
      }
    };
    const ends = Promise.all(this.#clients.map(lane));
    // Whoever stops it hears of what went wrong.
    ends.catch(() => undefined);
    return {
      commits: () => commits,
      goOnBy(next) {
        current = next;
      },
      async stop() {
        isOver = true;
        await ends;
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => undefined)));
  }
}
