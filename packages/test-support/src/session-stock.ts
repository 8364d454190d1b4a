// Sessions that are kept from test to test, given out by pools that are each as small as in life: to connect is dear.
import pg from 'pg';
import { eventually } from './eventually.js';

/** Not more than a server for tests has room for, beside all else that is connected to it. */
const mostSessions = 60;

/** Ends what a session is within, and what it goes by and holds beyond a transaction. As `DISCARD ALL`, but for what it keeps parsed: that is what it is kept for. */
const asNew = `ROLLBACK; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all();
  DISCARD SEQUENCES; DISCARD TEMP`;

export class SessionStock {
  readonly #sessions: pg.Pool;
  /** Who had it last. */
  readonly #users = new WeakMap<pg.PoolClient, object>();

  constructor(url: string) {
    this.#sessions = new pg.Pool({ connectionString: url, max: mostSessions, idleTimeoutMillis: 0, application_name: 'romancy' });
    // Whoever uses one that was lost is told by his first statement. All that use any of the pools listen here, so there may be many.
    this.#sessions.on('connect', (client) => client.setMaxListeners(0).on('error', () => undefined));
    this.#sessions.setMaxListeners(0).on('error', () => undefined);
  }

  /**
   * @param max how many sessions it gives out at a time.
   * @param user for whom: a session that another one had is cleared of what he has set, locked and listened to. Only then, so that it costs
   * a test one statement for each session that it uses.
   */
  pool(max: number, user: object): LimitedPool {
    return new LimitedPool({ sessions: this.#sessions, max, take: () => this.#take(user) });
  }

  async end(): Promise<void> {
    await this.#sessions.end();
  }

  async #take(user: object): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#sessions.connect();
      const before = this.#users.get(client);
      this.#users.set(client, user);
      if (before === undefined || before === user) return client;
      try {
        await client.query(asNew);
        return client;
      } catch (error) {
        // It was lost. There are only so many, and a new one needs no clearing.
        client.release(error as Error);
      }
    }
  }
}

interface LimitedPoolParts {
  readonly sessions: pg.Pool;
  readonly max: number;
  readonly take: () => Promise<pg.PoolClient>;
}

/** What is used of a pool of `pg`, with sessions of a stock. */
export class LimitedPool {
  readonly options: pg.PoolOptions;
  readonly #sessions: pg.Pool;
  readonly #max: number;
  readonly #take: () => Promise<pg.PoolClient>;
  readonly #waiting: (() => void)[] = [];
  #out = 0;

  constructor({ sessions, max, take }: LimitedPoolParts) {
    this.#sessions = sessions;
    this.#max = max;
    this.#take = take;
    this.options = { ...sessions.options, max };
  }

  async connect(): Promise<pg.PoolClient> {
    if (this.#out === this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#out++;
    try {
      const client = await this.#take();
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
