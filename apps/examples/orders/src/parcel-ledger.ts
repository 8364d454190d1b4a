// What the parcel service keeps: parcels and what it was told of them, in a database of its own that outlives the process.
import type Database from 'better-sqlite3';
import { AttemptCounter } from './attempt-counter.js';
import { openServiceDatabase } from './service-database.js';

export interface Parcel {
  readonly key: string;
  readonly orderId: string;
  readonly pieces: number;
  /** Why it is not carried; null: it is. */
  readonly refusal: string | null;
}

/** An event by its source and id. */
export interface Notice {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly orderId: string;
  readonly pieces: number;
  /** How often it came. */
  readonly times: number;
}

const schema = `
  create table if not exists parcels (key text primary key, order_id text not null, pieces integer not null, refusal text);
  create table if not exists notices (
    source text not null, id text not null, type text not null, order_id text not null, pieces integer not null, times integer not null,
    primary key (source, id)
  );
`;

const mostPieces = 4;

export class ParcelLedger {
  readonly attempts: AttemptCounter;
  readonly #db: Database.Database;

  constructor(filename: string) {
    this.#db = openServiceDatabase(filename, schema);
    this.attempts = new AttemptCounter(this.#db);
  }

  /** The parcel of this key: booked or refused now, or the one that is there. */
  book({ key, orderId, pieces }: Omit<Parcel, 'refusal'>): Parcel {
    const refusal = pieces > mostPieces ? `too heavy: ${mostPieces} pieces at most` : null;
    this.#db.prepare(`insert into parcels values (?, ?, ?, ?) on conflict do nothing`).run(key, orderId, pieces, refusal);
    const sql = `select key, order_id as orderId, pieces, refusal from parcels where key = ?`;
    return this.#db.prepare(sql).get(key) as Parcel;
  }

  /** Events that come again are known, and only counted. */
  takeNotice({ source, id, type, orderId, pieces }: Omit<Notice, 'times'>): void {
    this.#db
      .prepare(`insert into notices values (?, ?, ?, ?, ?, 1) on conflict (source, id) do update set times = times + 1`)
      .run(source, id, type, orderId, pieces);
  }

  notices(): readonly Notice[] {
    const sql = `select source, id, type, order_id as orderId, pieces, times from notices order by source, id`;
    return this.#db.prepare(sql).all() as Notice[];
  }

  close(): void {
    this.#db.close();
  }
}
