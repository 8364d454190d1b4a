// The settings of a session that is known to be this process's own.
import type { Session } from './session.js';
import { SessionLostError } from './session.js';

/**
 * The role may have other ideas about all of these. A note never waits for a standby, nor long for a lock; a quiet listener is not thrown out;
 * a serializable or read-only default is not ours to pay for.
 */
const always: Readonly<Record<string, string>> = {
  statement_timeout: '1s',
  lock_timeout: '250ms',
  idle_in_transaction_session_timeout: '0',
  synchronous_commit: 'off',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  client_min_messages: 'warning',
};

/** With the server version from which on they exist. */
const since: readonly (readonly [number, string, string])[] = [
  [140_000, 'idle_session_timeout', '0'],
  [170_000, 'transaction_timeout', '0'],
];

/**
 * The server drops a client that is dead, or frozen with notes unread, before it can hold the queue of all for a minute: 30 s without
 * acknowledgement, or three unanswered questions of 5 s after 15 s of silence.
 */
const ofSocket: Readonly<Record<string, string>> = {
  tcp_user_timeout: '30s',
  tcp_keepalives_idle: '15s',
  tcp_keepalives_interval: '5s',
  tcp_keepalives_count: '3',
};

/** Two round trips. @throws as `Session.query`. */
export async function applySettings(
  { session, serverVersionNumber }: { readonly session: Session; readonly serverVersionNumber: number },
  applicationName: string,
): Promise<void> {
  const settings = { ...always, application_name: applicationName };
  for (const [version, name, value] of since) if (serverVersionNumber >= version) Object.assign(settings, { [name]: value });
  await session.query({ text: setAll(settings) });
  try {
    await session.query({ text: setAll(ofSocket) });
  } catch (error) {
    // Not on every system, nor over every kind of socket. The proofs find a dead session all the same; it only lasts longer in the server.
    if (error instanceof SessionLostError) throw error;
  }
}

function setAll(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `SET ${name} = ${quote(value)}`)
    .join('; ');
}

/** Also right where backslashes are no ordinary characters. */
function quote(text: string): string {
  const escaped = text.replaceAll("'", "''").replaceAll('\\', '\\\\');
  return `${text.includes('\\') ? ' E' : ''}'${escaped}'`;
}
