// What the shop keeps in the database besides its workflows, whichever database that is.
import type { ActivityContext } from '@romancy/core';
import type { Order } from './order.js';

/** An article of the catalogue. `price` is in cents. */
export interface Article {
  readonly sku: string;
  readonly price: number;
  /** Pieces at the start. */
  readonly initial: number;
  /** Pieces that are neither reserved nor shipped. */
  readonly available: number;
}

export interface Reservation {
  readonly orderId: string;
  readonly sku: string;
  readonly quantity: number;
  readonly state: 'held' | 'released' | 'shipped';
  /** In the report of which day it is; null: in none. */
  readonly day: number | null;
}

/** What was shipped on one day. */
export interface DayReport {
  readonly day: number;
  readonly orders: number;
  readonly pieces: number;
  /** In cents. */
  readonly amount: number;
}

/** Calls with a `ctx` write in the transaction of that activity: together with its result, or not at all. */
export interface Stock {
  /** Creates the tables, and puts the catalogue in where it is not there yet. Once, before everything else. */
  prepare(): Promise<void>;
  /** Undefined: no such article. */
  find(sku: string): Promise<Article | undefined>;
  /** False, and nothing is taken, when there is too little. */
  reserve(ctx: ActivityContext, order: Order): Promise<boolean>;
  /** Puts what was reserved back. */
  release(ctx: ActivityContext, order: Order): Promise<void>;
  /** What was reserved leaves the house. */
  ship(ctx: ActivityContext, order: Order): Promise<void>;
  /** Writes the report of a day: of what was shipped and is in no other. */
  closeDay(ctx: ActivityContext, day: number): Promise<void>;
  articles(): Promise<readonly Article[]>;
  reservations(): Promise<readonly Reservation[]>;
  /** By their days. */
  reports(): Promise<readonly DayReport[]>;
  close(): Promise<void>;
}
