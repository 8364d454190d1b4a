// Connects, looks who is there, and settles what must hold for a session before it is used.
import type { Clock } from '@romancy/core/ports';
import { deadline } from './deadline.js';
import { guardStream } from './guarded-stream.js';
import type { PgClient, PgStream, SessionRole } from './pg-client.js';
import type { ResolvedOptions } from './pg-notifier-options.js';
import { Session } from './session.js';
import { applySettings } from './session-settings.js';

/** A session that is ready for use, and what is known about its server. */
export interface OpenSession {
  readonly session: Session;
  readonly serverVersion: string;
  /** As `server_version_num`: 150018, 180004. */
  readonly serverVersionNumber: number;
  /** The server process, when it is known to serve this session and nobody else; null: there is something in between. */
  readonly ownProcessId: number | null;
}

export interface OpenParts {
  readonly role: SessionRole;
  readonly options: ResolvedOptions;
  readonly clock: Clock;
}

/**
 * SET LOCAL goes first, in the same text: the time limit of a role must not end the statement behind it. Neither stays when a pooler gives the
 * server's session to others.
 */
const whoIsThere =
  `SET LOCAL statement_timeout = '1s'; ` +
  `SELECT pg_backend_pid(), pg_is_in_recovery(), current_setting('server_version_num'), current_setting('server_version')`;

/** @throws when the server cannot be reached, refuses, or takes no writes; `signal` destroys what was begun. */
export async function openSession(parts: OpenParts, signal: AbortSignal): Promise<OpenSession> {
  const { role, options, clock } = parts;
  const client = await connected(parts, signal);
  const session = new Session(client, { clock, deadlineMs: options.pingTimeoutMs });
  const onAbort = (): void => session.destroy(new Error('nobody waits for it any more'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const [row] = await patiently(() => session.query({ text: whoIsThere }));
    const [pid, inRecovery, versionNumber, serverVersion] = row ?? [];
    if (inRecovery !== 'f') throw new Error('the server is a standby: it cannot send notes, nor listen to any');
    const serverVersionNumber = Number(versionNumber);
    // PgBouncer and its like hand out keys of their own. Without them, this is the server's own session, and nobody else's.
    const ownProcessId = session.processId === Number(pid) ? session.processId : null;
    const open = { session, serverVersion: serverVersion ?? '', serverVersionNumber, ownProcessId };
    if (ownProcessId !== null) await applySettings(open, `${options.applicationName}:${role}`);
    return open;
  } catch (error) {
    session.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** A new client for each attempt: names are looked up anew, and no state of a failed attempt is left. */
async function connected({ role, options, clock }: OpenParts, signal: AbortSignal): Promise<PgClient> {
  const { connectionString, connect, applicationName, connectTimeoutMs } = options;
  // One of its own for each attempt, by hand: AbortSignal.any would leave it, and the client with it, at the signal that lives on.
  const attempt = new AbortController();
  const unwanted = attempt.signal;
  const giveUp = (): void => attempt.abort(signal.reason);
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp, { once: true });
  const cancel = deadline(clock, connectTimeoutMs, () =>
    attempt.abort(new Error(`could not connect within ${connectTimeoutMs} ms`)),
  );
  const connecting =
    connect === undefined
      ? connectByString({ connectionString, application_name: `${applicationName}:${role}` }, { clock, signal: unwanted })
      : (async () => await connect({ role, signal: unwanted }))();
  // What comes when nobody waits for it any more is closed; its errors are nobody's.
  const closeUnwanted = async (): Promise<void> => {
    const client = await connecting;
    if (!unwanted.aborted) return;
    client.on('error', () => undefined);
    await client.end();
  };
  // The errors of a user's client too, which may not even be one.
  closeUnwanted().catch(() => undefined);
  try {
    return await Promise.race([connecting, aborted(unwanted)]);
  } finally {
    cancel();
    signal.removeEventListener('abort', giveUp);
  }
}

async function connectByString(
  config: { readonly connectionString: string | undefined; readonly application_name: string },
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<PgClient> {
  // Loaded only here: who connects with a driver of his own needs no pg.
  const { default: pg } = await import('pg');
  signal.throwIfAborted();
  const client = new pg.Client({ ...config, keepAlive: true });
  client.on('error', () => undefined);
  const connection = client.connection as unknown as {
    readonly stream: PgStream;
    once(event: string, listener: () => void): void;
  };
  const destroy = (): void => void connection.stream.destroy();
  // It reads from here on, with TLS from another stream, and nobody else is there yet to catch what it throws at bytes that no server sends.
  const guard = (): void => {
    guardStream(connection.stream, { clock, onError: (error) => void connection.stream.destroy(error) });
  };
  signal.addEventListener('abort', destroy, { once: true });
  try {
    const connected = client.connect();
    guard();
    connection.once('sslconnect', guard);
    await connected;
    return client;
  } catch (error) {
    destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', destroy);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(signal.reason as Error);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}

/** Enough that all a fresh session must look up has been looked up. */
const attempts = 20;

/**
 * A role may have a time limit that the very first statement of a fresh session exceeds, while it looks up what it needs. What it has looked up
 * stays, so that it gets further each time.
 */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== '57014' || attempt >= attempts) throw error;
    }
  }
}
