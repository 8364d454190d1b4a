// Who waits for one instance: a single one, and several.
import { describe, expect, it } from 'vitest';
import { Watch, type Waiter } from './watch.js';

const waiter = (): Waiter => ({ resolve: () => undefined, reject: () => undefined });

describe('a watch', () => {
  it('gives all who wait, once, in the order in which they came', () => {
    for (const all of [[], [waiter()], [waiter(), waiter(), waiter()]]) {
      const watch = new Watch({ nextLookAt: null, delayMs: 1 });
      for (const one of all) watch.add(one);
      expect(watch.isEmpty).toBe(all.length === 0);
      expect(watch.takeAll()).toEqual(all);
      expect([watch.isEmpty, watch.takeAll()]).toEqual([true, []]);
    }
  });

  it('is empty when all have gone, whoever was the first to go', () => {
    const [first, second, third] = [waiter(), waiter(), waiter()];
    for (const gone of [
      [first, second],
      [second, first],
    ]) {
      const watch = new Watch({ nextLookAt: null, delayMs: 1 });
      watch.add(first);
      watch.delete(second);
      expect(watch.isEmpty).toBe(false);
      watch.add(second);
      watch.delete(gone[0]!);
      expect(watch.takeAll()).toEqual([gone[1]]);
      watch.add(third);
      watch.delete(third);
      expect(watch.isEmpty).toBe(true);
    }
  });
});
