// The mail of one run that is in memory: what came, what the code has taken, what may lie beyond the limit of a read.
import type { Mail } from '../ports/run-signals.js';

/** The storage, as far as the mail of one instance goes. */
export interface MailSource {
  /** How many pieces one read brings; fewer mean that there were no more. */
  readonly mailLimit: number;
  /** Reads the mail of one topic, after that id. */
  loadMail(topic: string, afterMailId: string | null): Promise<readonly Mail[]>;
}

/** Which mail of its topic a call takes. Default: any. */
export type MailFilter = (mail: Mail) => boolean;

/** Mail in the order of its arrival. */
export class Mailbox {
  /** Untaken mail by id; a Map keeps the order in which ids came. Null: none came yet, as for most. */
  #untaken: Map<string, Mail> | null = null;
  /** Ids handed out by this run: a read that began before their removal was committed may bring them again. */
  #taken: Set<string> | null = null;
  readonly #source: MailSource;
  /** A read reached its limit, so that there may be more in the storage than here. */
  #mayHaveMore = false;
  /** How often what is in memory of a topic was forgotten. Null: never, as for most. */
  #forgotten: Map<string, number> | null = null;

  constructor(source: MailSource) {
    this.#source = source;
  }

  /** Takes in what a claim or a reading of signals brought. */
  add(mail: readonly Mail[]): void {
    if (mail.length >= this.#source.mailLimit) this.#mayHaveMore = true;
    for (const piece of mail) if (this.#taken?.has(piece.mailId) !== true) this.#keep(piece);
  }

  /** The oldest untaken mail of the topic that is wanted, which is then taken. */
  take(topic: string, isWanted?: MailFilter): Mail | undefined {
    if (this.#untaken === null) return undefined;
    for (const piece of this.#untaken.values()) {
      if (piece.topic !== topic || isWanted?.(piece) === false) continue;
      this.#untaken.delete(piece.mailId);
      this.#taken ??= new Set();
      this.#taken.add(piece.mailId);
      return piece;
    }
    return undefined;
  }

  /** What is in memory of the topic may not be the instance's any more; what is, the next reading brings again. */
  forget(topic: string): void {
    this.#forgotten ??= new Map();
    this.#forgotten.set(topic, this.#timesForgotten(topic) + 1);
    if (this.#untaken === null) return;
    for (const piece of [...this.#untaken.values()]) if (piece.topic === topic) this.#untaken.delete(piece.mailId);
  }

  /** Whether `search` can find more than `take`. */
  get mayHaveMore(): boolean {
    return this.#mayHaveMore;
  }

  /**
   * Brings mail of the topic that is wanted from beyond the limit into memory, if there is any. Needed so that a thousand messages
   * that nobody reads do not hide the one that is waited for.
   * @returns false: the topic was forgotten meanwhile, and what was read before that is not to be believed. Nothing of it is here.
   */
  async search(topic: string, isWanted?: MailFilter): Promise<boolean> {
    const forgotten = this.#timesForgotten(topic);
    let after: string | null = null;
    for (;;) {
      const page: readonly Mail[] = await this.#source.loadMail(topic, after);
      if (this.#timesForgotten(topic) !== forgotten) return false;
      const fresh = page.filter(({ mailId }) => this.#taken?.has(mailId) !== true && this.#untaken?.has(mailId) !== true);
      for (const piece of fresh) this.#keep(piece);
      if (fresh.some((piece) => isWanted?.(piece) !== false) || page.length === 0) return true;
      after = page.at(-1)!.mailId;
    }
  }

  #timesForgotten(topic: string): number {
    return this.#forgotten?.get(topic) ?? 0;
  }

  #keep(piece: Mail): void {
    this.#untaken ??= new Map();
    this.#untaken.set(piece.mailId, piece);
  }
}
