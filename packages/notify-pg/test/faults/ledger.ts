// Counts what took effect: nothing may be lost, nothing doubled.
import type { Romancy } from '@romancy/core';
import { afterwards, eventually } from '@romancy/test-support';
import pg from 'pg';
import { expect } from 'vitest';
import { ledgered, steps, type LedgerInput } from './ledgered-workflow.js';

export class Ledger {
  readonly #url: string;
  readonly #ids: string[] = [];
  #client: pg.Client | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Starts that many, each with a name of its own; resolves when all starts are committed. */
  async start(romancy: Romancy, count: number, input: LedgerInput = { pauseMs: 0 }): Promise<readonly string[]> {
    const first = this.#ids.length;
    const ids = Array.from({ length: count }, (_, index) => `run-${first + index}`);
    this.#ids.push(...ids);
    await Promise.all(ids.map((instanceId) => romancy.startWorkflow(ledgered, input, { instanceId })));
    return ids;
  }

  /** How many steps have taken effect. */
  async booked(): Promise<number> {
    return Number((await this.query<{ n: string }>('SELECT count(*) AS n FROM ledger'))[0]!.n);
  }

  /** How many of these have come to an end. */
  async ended(ids: readonly string[]): Promise<number> {
    const statement = `SELECT count(*) AS n FROM romancy.instances WHERE instance_id = ANY ($1) AND status IN ('completed', 'failed', 'cancelled')`;
    return Number((await this.query<{ n: string }>(statement, [ids]))[0]!.n);
  }

  /** Resolves when all that was started has completed, with each of its steps booked exactly once. */
  async complete(timeout = 10_000): Promise<void> {
    await eventually(
      async () => {
        const rows = await this.query<{ status: string; n: number }>(
          'SELECT status, count(*)::int AS n FROM romancy.instances GROUP BY 1',
        );
        expect(rows).toEqual([{ status: 'completed', n: this.#ids.length }]);
        return true;
      },
      { timeout, interval: 20 },
    );
    const rows = await this.query<{ instance_id: string; step: string; n: number }>(
      'SELECT instance_id, step, count(*)::int AS n FROM ledger GROUP BY 1, 2',
    );
    expect(rows.filter(({ n }) => n !== 1)).toEqual([]);
    expect(rows.length).toBe(this.#ids.length * steps.length);
  }

  /** On a session that is opened anew when the one before was lost. */
  async query<T extends object>(text: string, values: readonly unknown[] = []): Promise<readonly T[]> {
    this.#client ??= await this.#connect();
    return (await this.#client.query<T>(text, [...values])).rows;
  }

  async close(): Promise<void> {
    await this.#client?.end();
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url });
    client.on('error', () => (this.#client = undefined));
    client.on('end', () => (this.#client = undefined));
    await client.connect();
    return client;
  }
}

/** @param url of an empty database; not through what is disturbed. */
export async function openLedger(url: string): Promise<Ledger> {
  const ledger = new Ledger(url);
  afterwards(() => ledger.close());
  await ledger.query('CREATE TABLE ledger (instance_id text NOT NULL, step text NOT NULL)');
  return ledger;
}
