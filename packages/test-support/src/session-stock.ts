// Sessions that are kept from test to test, given out by pools that are each as small as in life: to connect is dear.
import pg from 'pg';
import { eventually } from './eventually.js';

/** Not more than a server for tests has room for, beside all else that is connected to it. */
const mostSessions = 60;

export class SessionStock {
  readonly #sessions: pg.Pool;

  constructor(url: string) {
    this.#sessions = new pg.Pool({ connectionString: url, max: mostSessions, idleTimeoutMillis: 0, application_name: 'romancy' });
    // Whoever uses one that was lost is told by his first statement. All that use any of the pools listen here, so there may be many.
    this.#sessions.on('connect', (client) => client.setMaxListeners(0).on('error', () => undefined));
    this.#sessions.setMaxListeners(0).on('error', () => undefined);
  }

  /** @param max how many sessions it gives out at a time. */
  pool(max: number): LimitedPool {
    return new LimitedPool(this.#sessions, max);
  }

  async end(): Promise<void> {
    await this.#sessions.end();
  }
}

/** What is used of a pool of `pg`, with sessions of a stock. */
export class LimitedPool {
  readonly options: pg.PoolOptions;
  readonly #sessions: pg.Pool;
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #out = 0;

  constructor(sessions: pg.Pool, max: number) {
    this.#sessions = sessions;
    this.#max = max;
    this.options = { ...sessions.options, max };
  }

  async connect(): Promise<pg.PoolClient> {
    if (this.#out === this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#out++;
    try {
      const client = await this.#sessions.connect();
      // A new function each time that it is given out.
      const release = client.release.bind(client);
      client.release = (error) => {
        this.#isBack();
        release(error);
      };
      return client;
    } catch (error) {
      this.#isBack();
      throw error;
    }
  }

  on(event: 'connect' | 'error', listener: (argument: never) => void): this {
    this.#sessions.on(event as 'error', listener as (error: Error) => void);
    return this;
  }

  removeListener(event: 'connect' | 'error', listener: (argument: never) => void): this {
    this.#sessions.removeListener(event, listener as (error: Error) => void);
    return this;
  }

  /** Resolves when all that were given out are back, as the end of a pool does. */
  async isWhole(): Promise<void> {
    await eventually(() => this.#out === 0, { timeout: 10_000 });
  }

  /** Whoever waits has the place at once. */
  #isBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#out--;
    else next();
  }
}
