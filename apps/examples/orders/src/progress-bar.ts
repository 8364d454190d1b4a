// Shows how far the orders are: a bar in a terminal, a line at each tenth elsewhere.
import type { WriteStream } from 'node:tty';

/** Anything that can be written to; a terminal knows that it is one. */
export type Output = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

const width = 30;

export class ProgressBar {
  readonly #out: Output;
  readonly #total: number;
  readonly #began = performance.now();
  readonly #counts = new Map<string, number>();
  #done = 0;
  #shown = false;
  #ended = false;

  constructor(out: Output, total: number) {
    this.#out = out;
    this.#total = total;
  }

  get done(): number {
    return this.#done;
  }

  /** One order more has come to its end, before the bar was there. */
  count(state: string): void {
    this.#done++;
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + 1);
  }

  /** One order more has come to its end now. */
  tick(state: string): void {
    this.count(state);
    if (this.#out.isTTY === true) this.#draw();
    else if (Math.floor((this.#done * 10) / this.#total) > Math.floor(((this.#done - 1) * 10) / this.#total)) {
      this.#out.write(`${this.#text()}\n`);
    }
  }

  /** A line of text above the bar. */
  say(line: string): void {
    this.#clear();
    this.#out.write(`${line}\n`);
    if (this.#done > 0 && this.#out.isTTY === true) this.#draw();
  }

  /** Leaves the bar as it is and goes to the next line; what is said afterwards follows below. */
  end(): void {
    if (this.#shown) this.#out.write('\n');
    this.#shown = false;
    this.#ended = true;
  }

  #draw(): void {
    if (this.#ended) return;
    const full = Math.floor((this.#done / this.#total) * width);
    const line = `${'█'.repeat(full)}${'░'.repeat(width - full)} ${this.#text()}`;
    this.#clear();
    // A line that the terminal breaks could not be cleared again.
    this.#out.write(line.slice(0, (this.#out.columns || 80) - 1));
    this.#shown = true;
  }

  #clear(): void {
    if (this.#shown) this.#out.write('\r\u001b[2K');
    this.#shown = false;
  }

  #text(): string {
    const states = [...this.#counts].map(([state, count]) => `${count} ${state}`).join(', ');
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1);
    return `${this.#done} of ${this.#total} orders${states === '' ? '' : `: ${states}`}, ${seconds} s`;
  }
}
