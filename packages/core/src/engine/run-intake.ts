// What a run hears of from outside (mail, a cancellation): what it was handed, and what it has to read.
import type { Mail } from '../ports/run-signals.js';
import { Attention } from './attention.js';
import type { Mailbox } from './mailbox.js';
import type { OpenCalls } from './open-calls.js';
import type { CallHost } from './operations/durable-call.js';
import type { RunCancellation } from './run-cancellation.js';
import type { RunExit } from './run-exit.js';
import type { RunPump } from './run-pump.js';
import type { RunReplay } from './run-replay.js';
import type { RunServices } from './run-services.js';

export interface RunIntakeParts {
  readonly instanceId: string;
  readonly services: RunServices;
  readonly calls: OpenCalls;
  readonly replay: RunReplay;
  readonly exit: RunExit;
  readonly pump: RunPump;
  readonly cancellation: RunCancellation;
  readonly mailbox: Mailbox;
  /** False: what begins now would be abandoned, or is decided by a settlement on its way. */
  readonly mayGoLive: boolean;
}

export class RunIntake {
  readonly #parts: RunIntakeParts;
  /** Null: nothing was read yet, as in most runs. */
  #attention: Attention | null = null;
  /** Mail came with an answer since the last park began. */
  #wasHanded = false;
  /** Mail came with an answer since the last reading began. */
  #isAttentionHanded = false;
  /** Something was heard of since the last reading, or the last park, began. */
  #isNewsUnread = false;

  constructor(parts: RunIntakeParts) {
    this.#parts = parts;
  }

  /**
   * Something happened from outside: reads what. Reading clears the instance's attention, and attention is what refuses a park that would
   * overlook something: so no park begins while a reading is under way (it counts as work), and no reading begins while a park is under
   * way (the park will be refused, and reads then). Never rejects.
   * @param host counts what is under way.
   */
  async attend(host: Pick<CallHost, 'workBegins' | 'workEnds'>): Promise<void> {
    const { exit } = this.#parts;
    this.#isNewsUnread = true;
    if (!exit.isOpen) return;
    host.workBegins();
    try {
      await this.read();
    } catch (error) {
      await exit.breakOff(error as Error);
    } finally {
      host.workEnds();
    }
  }

  /**
   * Mail came with the answer to a commit, and when that took effect there was nothing else to read.
   * @returns false: it is not taken, and is to be read by whoever goes on with the instance.
   */
  hand(mail: Mail): boolean {
    const { exit, mailbox, pump } = this.#parts;
    if (exit.isClosed) return false;
    mailbox.add([mail]);
    this.#wasHanded = true;
    this.#isAttentionHanded = true;
    this.#takeMail();
    pump.wakeUp();
    return true;
  }

  /** That the instance has attention need be no news: it has, from mail that came with an answer, to the next reading or park. */
  get isAttentionHanded(): boolean {
    return this.#isAttentionHanded;
  }

  /** Resolves when a reading that began after this call is over. */
  read(): Promise<void> {
    this.#attention ??= new Attention(() => this.#read());
    return this.#attention.request();
  }

  /** Readings are under way. */
  get isReading(): boolean {
    return this.#attention !== null && this.#attention.reading !== null;
  }

  /** Resolves when those under way are over and no more follows. Never rejects. */
  async readingOver(): Promise<void> {
    await this.#attention?.reading?.catch(() => undefined);
  }

  /** Something was heard of that no reading of this run, and no refusal of its park, has taken into account. */
  get hasNews(): boolean {
    return this.#isNewsUnread;
  }

  parkBegins(): void {
    this.#wasHanded = false;
    this.#isNewsUnread = false;
  }

  /** A park was refused: for what came, which is here already if it was handed and nothing was heard since. */
  async readRefusal(): Promise<void> {
    // While the park was on its way no call could take it.
    if (this.#wasHanded) this.#takeMail();
    if (!this.#wasHanded || this.#isNewsUnread) await this.read();
  }

  async #read(): Promise<void> {
    const { instanceId, services, exit, mailbox, cancellation, pump } = this.#parts;
    // The instance may be another run's by now, and nobody would take what this one reads.
    if (exit.end !== null) return;
    this.#isNewsUnread = false;
    this.#isAttentionHanded = false;
    const signals = await services.reader.signals(instanceId);
    if (signals === undefined || exit.end !== null) return;
    mailbox.add(signals.mail);
    if (signals.cancel !== null) cancellation.request(signals.cancel);
    if (signals.mail.length > 0) this.#takeMail();
    pump.wakeUp();
  }

  /** While a park is on its way nobody takes any: calls do when it was refused. */
  #takeMail(): void {
    const { replay, calls, mayGoLive } = this.#parts;
    if (replay.next !== undefined || !mayGoLive) return;
    for (const call of calls) call.onMail?.();
  }
}
