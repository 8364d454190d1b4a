// What a lane may not commit any more, since the database has refused something before it.
import { instanceOf, type CommitItem } from './commit-item.js';

/** Behind a gap in an instance's history nothing follows, but that it is handed back: its next run finds it as it was before. */
export class Refusals {
  /** Instances of which the database has refused something, and why. */
  readonly #errors = new Map<string, unknown>();

  /** Tells those who wait for the items. */
  refuse(items: readonly CommitItem[], error: unknown): void {
    for (const item of items) {
      if (!isStart(item) && !handsBack(item)) this.#errors.set(instanceOf(item), error);
      item.outcome.reject(error);
    }
  }

  /** Those that may be committed; who waits for another one is told why not. */
  admitted(items: readonly CommitItem[]): readonly CommitItem[] {
    return this.#errors.size === 0 ? items : items.filter((item) => this.#isAdmitted(item));
  }

  #isAdmitted(item: CommitItem): boolean {
    const instanceId = instanceOf(item);
    if (isStart(item) || !this.#errors.has(instanceId)) return true;
    if (!handsBack(item)) {
      item.outcome.reject(this.#errors.get(instanceId));
      return false;
    }
    this.#errors.delete(instanceId);
    return true;
  }
}

function handsBack(item: CommitItem): boolean {
  return item.type === 'settlement' && (item.settlement.type === 'stall' || item.settlement.type === 'release');
}

function isStart(item: CommitItem): boolean {
  return item.type === 'start' || item.type === 'starts';
}
