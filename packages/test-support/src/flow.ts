// One direction of a connection through a TCP proxy: bytes in their order, which can be lost, kept back and late.
import type { Socket } from 'node:net';

/**
 * What becomes of bytes: `pass`; `drop`, they are swallowed, and so is the end of the sender, as on a line that is dead without anybody
 * saying so; `hold`, they wait in their order until the mode changes.
 */
export type FlowMode = 'pass' | 'drop' | 'hold';

interface OnItsWay {
  readonly what: Buffer | 'end';
  /** By `performance.now()`. */
  readonly due: number;
}

export class Flow {
  /** Milliseconds by which what comes from now on is late. It does not overtake what came before. */
  delayMs = 0;
  #mode: FlowMode = 'pass';
  readonly #queue: OnItsWay[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #to: Socket;

  constructor(to: Socket) {
    this.#to = to;
    to.once('close', () => clearTimeout(this.#timer));
  }

  get mode(): FlowMode {
    return this.#mode;
  }

  /** Counts from the next bytes on; what was held or is late goes on its way, in order, or is swallowed with the rest. */
  set mode(mode: FlowMode) {
    this.#mode = mode;
    if (mode === 'drop') this.#queue.length = 0;
    this.#deliver();
  }

  /** Takes bytes, or the end of the stream. */
  take(what: Buffer | 'end'): void {
    if (this.#mode === 'drop') return;
    const soonest = this.#queue.at(-1)?.due ?? 0;
    this.#queue.push({ what, due: Math.max(soonest, performance.now() + this.delayMs) });
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.#mode !== 'pass') return;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const wait = next.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#deliver(), wait);
        return;
      }
      this.#queue.shift();
      if (this.#to.destroyed) continue;
      if (next.what === 'end') this.#to.end();
      else this.#to.write(next.what);
    }
  }
}
