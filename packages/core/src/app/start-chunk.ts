// So many starts as share a commit.
import type { NewInstance } from '../ports/new-instance.js';

/** A start of a list, made ready. */
export interface ChunkedStart {
  /** Its place in the list. */
  readonly index: number;
  readonly instance: NewInstance;
}

/**
 * A commit of so many takes a database some ten milliseconds, in which it keeps others from committing little; with larger ones nothing is
 * won any more.
 */
const mostStarts = 1000;
/** UTF-16 units of input: what is in memory, and in one statement. */
const mostCharacters = 2_000_000;

export class StartChunk {
  /** In the order of the list. */
  readonly starts: ChunkedStart[] = [];
  /** Those whose id comes earlier in the chunk: whatever becomes of that one, it is in use then. */
  readonly repeated: ChunkedStart[] = [];
  readonly #ids = new Set<string>();
  #characters = 0;

  get isFull(): boolean {
    return this.starts.length + this.repeated.length >= mostStarts || this.#characters >= mostCharacters;
  }

  add(start: ChunkedStart): void {
    const { instanceId, input } = start.instance;
    if (this.#ids.has(instanceId)) {
      this.repeated.push(start);
      return;
    }
    this.#ids.add(instanceId);
    this.#characters += input.length;
    this.starts.push(start);
  }
}
