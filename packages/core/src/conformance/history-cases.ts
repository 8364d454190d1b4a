// Cases: history comes back as it was written, in order, page by page.
import { describe, expect, it } from 'vitest';
import type { HistoryKind, NewHistoryEntry } from '../ports/index.js';
import type { Bench } from './storage-harness.js';
import { newEntry, newInstance, park, release } from './test-worker.js';

const kinds: readonly HistoryKind[] = [
  'value',
  'timer_set',
  'wait_set',
  'activity_completed',
  'activity_failed',
  'activity_retry',
  'timer_fired',
  'event_received',
  'wait_timed_out',
];

export function historyCases(bench: Bench): void {
  describe('history', () => {
    it('comes back as it was written, with the time of its commit', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      const dueAt = (await worker.now()) + 86_400_000;
      const entries = kinds.map((kind, index): NewHistoryEntry => ({
        instanceId: 'one',
        seq: index + 1,
        kind,
        callId: index === 0 ? 'a call: "1"' : `call:${index}`,
        position: index * 2,
        data: index % 3 === 0 ? null : `{"index":${index}}`,
        dueAt: index % 2 === 0 ? null : dueAt + index,
      }));
      const before = await worker.now();
      const { now } = await worker.commit({ entries });
      const read = await worker.history('one');
      expect(read.map(({ recordedAt: _, ...entry }) => entry)).toEqual(entries);
      for (const { recordedAt } of read) {
        expect(recordedAt).toBeGreaterThanOrEqual(before);
        expect(recordedAt).toBeLessThanOrEqual(now);
      }
    });

    it('keeps due times of many years to the millisecond', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const dueAt = (await worker.now()) + 9_000 * 365 * 86_400_000 + 1;
      await worker.commit({
        starts: [newInstance('one')],
        entries: [newEntry('one', 1, { kind: 'timer_set', dueAt })],
        settlements: [park('one', dueAt)],
      });
      expect((await worker.history('one'))[0]).toMatchObject({ dueAt });
      expect((await harness.get('one')).wakeAt).toBe(dueAt);
      expect((await worker.claim()).nextDueAt).toBe(dueAt);
    });

    it('is ordered by seq, with gaps, however it was written', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({
        starts: [newInstance('one'), newInstance('two')],
        entries: [newEntry('one', 9), newEntry('two', 2)],
      });
      await worker.commit({ entries: [newEntry('one', 10), newEntry('one', 2), newEntry('two', 11), newEntry('one', 4)] });
      expect((await worker.history('one')).map((entry) => entry.seq)).toEqual([2, 4, 9, 10]);
      expect((await worker.history('two')).map((entry) => entry.seq)).toEqual([2, 11]);
    });

    it('keeps the entry that was there first under its number', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({ starts: [newInstance('one')], entries: [newEntry('one', 1, { data: '"first"' })] });
      const before = await worker.history('one');
      await worker.commit({ entries: [newEntry('one', 1, { data: '"second"', kind: 'activity_failed' }), newEntry('one', 2)] });
      const after = await worker.history('one');
      expect(after[0]).toEqual(before[0]);
      expect(after.map((entry) => entry.seq)).toEqual([1, 2]);
    });

    it('is read in pages after a number, up to a limit', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const entries = Array.from({ length: 25 }, (_, index) => newEntry('one', (index + 1) * 3));
      await worker.commit({ starts: [newInstance('one')], entries });
      const pages: number[][] = [];
      for (let afterSeq = 0; ;) {
        const page = (await worker.history('one', afterSeq, 10)).map((entry) => entry.seq);
        if (page.length === 0) break;
        pages.push(page);
        afterSeq = page.at(-1)!;
      }
      expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
      expect(pages.flat()).toEqual(entries.map((entry) => entry.seq));
      expect((await worker.history('one', 4, 1)).map((entry) => entry.seq)).toEqual([6]);
      expect(await worker.history('one', 75)).toEqual([]);
      expect(await worker.history('nobody')).toEqual([]);
    });

    it('comes with a claim up to the limit, and the claim says whether that was all', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = ['none', 'fits', 'too-long'];
      const entries = [1, 2, 3].map((seq) => newEntry('fits', seq));
      await worker.commit({
        starts: ids.map((id) => newInstance(id)),
        entries: [...entries, ...[1, 2, 3, 4].map((seq) => newEntry('too-long', seq))],
        settlements: ids.map((id) => release(id)),
      });
      const { claimed } = await worker.claim({ historyLimit: 3 });
      const byId = new Map(claimed.map((run) => [run.instanceId, run]));
      expect(byId.get('none')).toMatchObject({ history: [], historyComplete: true });
      expect(byId.get('fits')?.historyComplete).toBe(true);
      expect(byId.get('fits')?.history).toEqual(await worker.history('fits'));
      expect(byId.get('too-long')?.historyComplete).toBe(false);
      expect(byId.get('too-long')?.history).toEqual(await worker.history('too-long', 0, 3));
      expect((await worker.history('too-long', 3)).map((entry) => entry.seq)).toEqual([4]);
    });

    it('is written with the settlement of its instance, and stays when that has ended', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({
        starts: [newInstance('one')],
        entries: [newEntry('one', 1)],
        settlements: [{ type: 'finish', instanceId: 'one', claim: 1, status: 'completed', output: null, error: null }],
      });
      expect(await worker.history('one')).toHaveLength(1);
    });

    it('of 10,000 entries is written and read whole', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('long');
      for (let first = 1; first <= 10_000; first += 2000) {
        await worker.commit({ entries: Array.from({ length: 2000 }, (_, index) => newEntry('long', first + index)) });
      }
      const read = await worker.history('long', 0, 20_000);
      expect(read).toHaveLength(10_000);
      expect(read.every((entry, index) => entry.seq === index + 1 && entry.data === `{"seq":${index + 1}}`)).toBe(true);
    });
  });
}
