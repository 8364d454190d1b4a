// What the payment service keeps: charges by their idempotency keys, in a database of its own that outlives the process.
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';

export interface Charge {
  readonly key: string;
  readonly id: string;
  readonly instanceId: string;
  readonly orderId: string;
  /** In cents. */
  readonly amount: number;
  readonly state: 'authorised' | 'settled' | 'refused' | 'declined';
  readonly reason: string | null;
  /** How often it was asked for. */
  readonly requests: number;
}

export interface NewCharge {
  readonly key: string;
  readonly instanceId: string;
  readonly orderId: string;
  readonly amount: number;
  readonly card: string;
}

const schema = `
  create table if not exists charges (
    key text primary key, id text not null unique, instance_id text not null, order_id text not null, amount integer not null,
    card text not null, state text not null, reason text, requests integer not null, reported integer not null
  );
  create table if not exists attempts (key text primary key, count integer not null);
`;

const columns = `key, id, instance_id as instanceId, order_id as orderId, amount, state, reason, requests`;

/** Cards whose charge is declined at once, and such whose payment is refused when it comes to the settlement; by their last digits. */
const declined = new Map([
  ['0002', 'card declined'],
  ['9995', 'insufficient funds'],
]);
const refused = new Map([['0341', 'the bank took the authorisation back']]);

export class PaymentLedger {
  readonly #db: Database.Database;

  constructor(filename: string) {
    this.#db = new Database(filename);
    this.#db.pragma('journal_mode = wal');
    this.#db.exec(schema);
  }

  /** Counts a request; the number tells the attempts with one key apart. */
  countAttempt(key: string): number {
    const sql = `insert into attempts (key, count) values (?, 1) on conflict (key) do update set count = count + 1 returning count`;
    return (this.#db.prepare(sql).get(key) as { count: number }).count;
  }

  /** The charge of this key: made now, or the one that is there. */
  charge({ key, instanceId, orderId, amount, card }: NewCharge): Charge {
    const reason = declined.get(card.slice(-4)) ?? null;
    const sql = `
      insert into charges (key, id, instance_id, order_id, amount, card, state, reason, requests, reported)
      values (?, ?, ?, ?, ?, ?, ?, ?, 1, 0)
      on conflict (key) do update set requests = requests + 1
      returning ${columns}`;
    const state = reason === null ? 'authorised' : 'declined';
    return this.#db.prepare(sql).get(key, `pay_${randomUUID()}`, instanceId, orderId, amount, card, state, reason) as Charge;
  }

  /** Settles or refuses an authorised charge; one that is settled already stays as it is. */
  settle(key: string): Charge {
    const { card } = this.#db.prepare(`select card from charges where key = ?`).get(key) as { card: string };
    const reason = refused.get(card.slice(-4)) ?? null;
    this.#db
      .prepare(`update charges set state = ?, reason = ? where key = ? and state = 'authorised'`)
      .run(reason === null ? 'settled' : 'refused', reason, key);
    return this.#db.prepare(`select ${columns} from charges where key = ?`).get(key) as Charge;
  }

  /** The shop has confirmed that it knows. */
  markReported(key: string): void {
    this.#db.prepare(`update charges set reported = 1 where key = ?`).run(key);
  }

  /** Charges whose settlement is still to come or to be reported: what an earlier process has left. */
  unreported(): readonly Charge[] {
    return this.#db.prepare(`select ${columns} from charges where reported = 0 and state <> 'declined'`).all() as Charge[];
  }

  find(id: string): Charge | undefined {
    return this.#db.prepare(`select ${columns} from charges where id = ?`).get(id) as Charge | undefined;
  }

  all(): readonly Charge[] {
    return this.#db.prepare(`select ${columns} from charges order by key`).all() as Charge[];
  }

  close(): void {
    this.#db.close();
  }
}
