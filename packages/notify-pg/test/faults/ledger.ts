// Counts what took effect: nothing may be lost, nothing doubled.
import type { Romancy } from '@romancy/core';
import { afterwards, eventually } from '@romancy/test-support';
import pg from 'pg';
import { expect } from 'vitest';
import { ledgered, steps, type LedgerInput } from './ledgered-workflow.js';

export class Ledger {
  readonly client: pg.Client;
  readonly #ids: string[] = [];

  constructor(client: pg.Client) {
    this.client = client;
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
    const { rows } = await this.client.query<{ n: number }>('SELECT count(*)::int AS n FROM ledger');
    return rows[0]!.n;
  }

  /** Resolves when all that was started has completed, with each of its steps booked exactly once. */
  async complete(timeout = 10_000): Promise<void> {
    await eventually(
      async () => {
        const { rows } = await this.client.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM romancy.instances WHERE status = 'completed'`,
        );
        expect(rows[0]!.n).toBe(this.#ids.length);
        return true;
      },
      { timeout, interval: 20 },
    );
    const { rows } = await this.client.query<{ instance_id: string; step: string; n: number }>(
      'SELECT instance_id, step, count(*)::int AS n FROM ledger GROUP BY 1, 2',
    );
    expect(rows.filter(({ n }) => n !== 1)).toEqual([]);
    expect(rows.length).toBe(this.#ids.length * steps.length);
  }
}

/** @param url of an empty database; not through what is disturbed. */
export async function openLedger(url: string): Promise<Ledger> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  afterwards(() => client.end());
  await client.query('CREATE TABLE ledger (instance_id text NOT NULL, step text NOT NULL)');
  return new Ledger(client);
}
