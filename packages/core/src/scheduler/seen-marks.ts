// Up to where runs know what happened to them, by mail that they were handed with answers.
import type { ProgressBatch } from '../ports/progress.js';
import { instanceOf, type CommitItem } from './commit-item.js';

const none: NonNullable<ProgressBatch['seen']> = [];

export class SeenMarks {
  readonly #marks = new Map<string, string>();

  /** Undefined: by no mail that it was handed. */
  of(instanceId: string): string | undefined {
    return this.#marks.get(instanceId);
  }

  handed(instanceId: string, mark: string): void {
    this.#marks.set(instanceId, mark);
  }

  /** The run has left. */
  left(instanceId: string): void {
    this.#marks.delete(instanceId);
  }

  /**
   * What a commit of these items names. A settlement that was decided on before mail was handed over does not know of it, though it leaves after
   * it: it is to be refused for that mail.
   */
  namedBy(items: readonly CommitItem[]): NonNullable<ProgressBatch['seen']> {
    if (this.#marks.size === 0) return none;
    const marks = new Map<string, string | undefined>();
    for (const item of items) {
      const instanceId = instanceOf(item);
      marks.set(instanceId, item.type === 'settlement' ? item.seen : this.#marks.get(instanceId));
    }
    return [...marks].flatMap(([instanceId, mark]) => (mark === undefined ? [] : [{ instanceId, mark }]));
  }
}
