// The listening side of one process: LISTEN on each new session, and what is heard on it.
import type { Wakeup } from '@romancy/core/ports';
import { quoteIdentifier, type ChannelNames } from './channel-names.js';
import { noteReader, type Heard } from './decode-note.js';
import type { OpenSession } from './open-session.js';
import type { PgNotification } from './pg-client.js';
import { NoteStream } from './note-stream.js';
import type { Session } from './session.js';

/** For what comes after the code that is running; cheaper than `queueMicrotask`, above all after quiet. */
const turnEnds = Promise.resolve();

export interface ListenerParts {
  readonly channels: ChannelNames;
  /** The server process that sends for this process alone; null: not known. */
  readonly ownProcessId: () => number | null;
  /** Several that came in one go; nothing that this process has sent itself, where that can be told. */
  readonly onWakeups: (wakeups: readonly Wakeup[]) => void;
  /** Somebody says: look at everything. */
  readonly onEverything: () => void;
  /** A ping, or notes that came in one go, before what they say is passed on. @param nonce null when it was no ping. */
  readonly onNote: (nonce: string | null) => void;
  /** Another process finds the server's queue more than half full. */
  readonly onQueueFull: () => void;
}

export class Listener {
  readonly #parts: ListenerParts;
  readonly #read: (channel: string, payload: string | undefined) => Heard;
  #gathered: Wakeup[] = [];
  #everything = false;
  #isArmed = false;
  #received = 0;
  #ignored = 0;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#read = noteReader(parts.channels);
  }

  get counters(): { readonly received: number; readonly ignored: number } {
    return { received: this.#received, ignored: this.#ignored };
  }

  /** Makes the session hear. Nothing that comes after this began is missed. @throws as `Session.query`. */
  async listen({ session }: OpenSession): Promise<void> {
    // Before the statement: notes may come in the same packet as its answer.
    session.onNotification((notification) => this.#hear(notification));
    const { channels, ownProcessId } = this.#parts;
    const stream = new NoteStream({
      channels,
      ownProcessId,
      onNote: (heard) => this.#take(heard),
      onOwn: (count) => this.#heard(count),
    });
    session.sift((chunk) => stream.sift(chunk));
    const each = Object.values(channels).map((name) => `LISTEN ${quoteIdentifier(name)}`);
    // Its own limit first, for sessions whose settings are not ours to make.
    await session.query({ text: [`SET LOCAL statement_timeout = '1s'`, ...each].join('; ') });
  }

  /** So that a pooler's session, which others use next, is not woken for nothing. Best effort. */
  async unlisten(session: Session): Promise<void> {
    const each = Object.values(this.#parts.channels).map((name) => `UNLISTEN ${quoteIdentifier(name)}`);
    await session.query({ text: each.join('; ') }).catch(() => undefined);
  }

  #hear({ channel, payload, processId }: PgNotification): void {
    const { channels, ownProcessId } = this.#parts;
    // This process has acted on what it sent itself, before it sent it. What comes here all the same, in pieces or from a socket that cannot be seen,
    // is not read either.
    if (channel !== channels.ping && processId === ownProcessId()) this.#heard(1);
    else this.#take(this.#read(channel, payload));
  }

  #take(heard: Heard): void {
    if (heard?.kind === 'ping') {
      if (heard.isQueueFull) this.#parts.onQueueFull();
      this.#parts.onNote(heard.nonce);
      return;
    }
    if (heard === null) this.#ignored++;
    else if (heard.kind === 'everything') this.#everything = true;
    else if (heard.kind === 'several') this.#gathered.push(...heard.wakeups);
    else this.#gathered.push(heard);
    this.#heard(1);
  }

  #heard(count: number): void {
    this.#received += count;
    if (this.#isArmed) return;
    this.#isArmed = true;
    // All notes of one packet are read in one go; what they say is passed on in one go after that.
    void turnEnds.then(() => this.#pass());
  }

  #pass(): void {
    const wakeups = this.#gathered;
    const everything = this.#everything;
    this.#isArmed = false;
    this.#gathered = [];
    this.#everything = false;
    this.#parts.onNote(null);
    if (wakeups.length > 0) this.#parts.onWakeups(wakeups);
    if (everything) this.#parts.onEverything();
  }
}
