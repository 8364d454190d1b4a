// What talking needs of a database when it is written by hand: a queue and mailboxes, a commit for each message on its way in and out.

/**
 * The least that is durable. Writing is one statement; receiving is one too: it removes the message and records that it was received, or a crash
 * would lose it. Nobody is woken: who receives knows that something is there. No subscriptions, no modes, no replay.
 */
export interface RawMail {
  /** Puts a message into the queue. */
  enqueue(data: string): Promise<void>;
  /** Takes the oldest message that nobody else has at the moment; undefined: there is none. */
  take(receiver: string, seq: number): Promise<string | undefined>;
  /** Puts a copy into the mailbox of each. */
  fanOut(receivers: readonly string[], data: string): Promise<void>;
  /** Takes the oldest message of that mailbox; undefined: there is none. */
  receive(receiver: string, seq: number): Promise<string | undefined>;
  close(): Promise<void>;
}
