// Knows when nobody asks a database anything any more.
import { pause } from '../pause.js';

/** Is told of each question and of its answer. */
export class Quiet {
  #underWay = 0;
  #last = performance.now();

  began(): void {
    this.#underWay++;
  }

  ended(): void {
    this.#underWay--;
    this.#last = performance.now();
  }

  /**
   * Resolves after so many milliseconds in which nobody asked anything, and as many turns of the event loop: after a long pause of the whole
   * process, what was to follow comes first.
   * @throws Error when it does not become quiet within ten seconds.
   */
  async lasted(quietMs: number): Promise<void> {
    const asked = performance.now();
    let [turns, last] = [0, this.#last];
    for (;;) {
      const now = performance.now();
      const isQuiet = this.#underWay === 0 && this.#last === last;
      [turns, last] = [isQuiet ? turns + 1 : 0, this.#last];
      if (turns > quietMs / 2 && now - Math.max(last, asked) >= quietMs) return;
      if (now - asked > 10_000) throw new Error('the database did not become quiet within ten seconds');
      await pause(1);
    }
  }
}
