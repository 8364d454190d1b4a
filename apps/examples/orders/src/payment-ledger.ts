// What the payment service keeps: charges and refunds by their idempotency keys, in a database of its own that outlives the process.
import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3';
import { AttemptCounter } from './attempt-counter.js';
import { openServiceDatabase } from './service-database.js';

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

/** Of all that was paid. */
export interface Refund {
  readonly key: string;
  readonly paymentId: string;
  readonly orderId: string;
  /** In cents. */
  readonly amount: number;
  /** How often it was asked for. */
  readonly requests: number;
}

const schema = `
  create table if not exists charges (
    key text primary key, id text not null unique, instance_id text not null, order_id text not null, amount integer not null,
    card text not null, state text not null, reason text, requests integer not null, reported integer not null
  );
  create table if not exists refunds (
    key text primary key, payment_id text not null references charges (id), amount integer not null, requests integer not null
  );
`;

const columns = `key, id, instance_id as instanceId, order_id as orderId, amount, state, reason, requests`;

/** Cards whose charge is declined at once, and such whose payment is refused when it comes to the settlement; by their last digits. */
const declined = new Map([
  ['0002', 'card declined'],
  ['9995', 'insufficient funds'],
]);
const refused = new Map([['0341', 'the bank took the authorisation back']]);

export class PaymentLedger {
  readonly attempts: AttemptCounter;
  readonly #db: Database.Database;

  constructor(filename: string) {
    this.#db = openServiceDatabase(filename, schema);
    this.attempts = new AttemptCounter(this.#db);
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

  /**
   * Gives back what was paid, once per key. One that is not settled yet will not be any more, and of one that never will be there is
   * nothing to give back. Undefined: there is no such charge.
   */
  refund({ key, paymentId }: { readonly key: string; readonly paymentId: string }): Charge | undefined {
    this.#db
      .prepare(`update charges set state = 'refused', reason = 'taken back' where id = ? and state = 'authorised'`)
      .run(paymentId);
    this.#db
      .prepare(
        `insert into refunds (key, payment_id, amount, requests)
         select ?, id, amount, 1 from charges where id = ? and state = 'settled'
         on conflict (key) do update set requests = requests + 1`,
      )
      .run(key, paymentId);
    return this.find(paymentId);
  }

  /** The shop has confirmed that it knows, or that it does not want to. */
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

  refunds(): readonly Refund[] {
    const sql = `
      select refunds.key, payment_id as paymentId, order_id as orderId, refunds.amount, refunds.requests
      from refunds join charges on charges.id = payment_id order by refunds.key`;
    return this.#db.prepare(sql).all() as Refund[];
  }

  close(): void {
    this.#db.close();
  }
}
