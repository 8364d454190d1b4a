// A client of a server that answers as the test wants it, or not at all.
import type { Clock } from '@romancy/core/ports';
import type { OpenSession } from '../src/open-session.js';
import type { PgClient, PgNotice, PgNotification, PgQuery } from '../src/pg-client.js';
import { Session } from '../src/session.js';

type Listener = (value: never) => void;

export class FakeClient implements PgClient {
  readonly processID = 77;
  /** All statements, oldest first. */
  readonly queries: PgQuery[] = [];
  /** What the next statements come to: rows, an error of the server, or `silence`. Default: no rows. */
  answers: (readonly (readonly (string | null)[])[] | Error | 'silence')[] = [];
  isDestroyed = false;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** What was asked of its socket. */
  readonly asked: unknown[] = [];
  readonly connection = {
    stream: {
      destroy: () => (this.isDestroyed = true),
      unref: () => this.asked.push('unref'),
      setKeepAlive: (...how: unknown[]) => this.asked.push(how),
    },
  };

  query(query: PgQuery): Promise<{ rows: readonly unknown[] }> {
    this.queries.push(query);
    const answer = this.answers.shift() ?? [];
    if (answer === 'silence') return new Promise(() => undefined);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ rows: answer });
  }

  async end(): Promise<void> {
    this.emit('end', undefined);
  }

  on(event: string, listener: Listener): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  emit(event: 'error', error: Error): void;
  emit(event: 'end', nothing: undefined): void;
  emit(event: 'notification', notification: PgNotification): void;
  emit(event: 'notice', notice: PgNotice): void;
  emit(event: string, value: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
  }
}

/** An error as the server says it. */
export function serverError(code: string): Error {
  return Object.assign(new Error(`refused with ${code}`), { code });
}

export function openFake(client: FakeClient, clock: Clock): OpenSession {
  const session = new Session(client, { clock, deadlineMs: 3000 });
  return { session, serverVersion: '18.4', serverVersionNumber: 180_004, ownProcessId: client.processID };
}
