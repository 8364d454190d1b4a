// The cursor reads each entry once, a page at a time, and always far enough for what the code may ask for synchronously.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryEntry, HistoryKind } from '../domain/history.js';
import { HistoryCursor, isRecordedAtTheCall } from './history-cursor.js';

function entries(kinds: readonly HistoryKind[]): HistoryEntry[] {
  return kinds.map((kind, index) => {
    const seq = 2 * index + 1;
    return { instanceId: 'i', seq, kind, callId: `c:${seq}`, position: index, data: null, dueAt: null, recordedAt: 0 };
  });
}

/** A cursor whose first entries came with the claim, and the questions that it asked for more. */
function cursorOver(all: readonly HistoryEntry[], pageSize: number) {
  const asked: number[] = [];
  const claimed = { history: all.slice(0, pageSize), historyStart: 0, historyComplete: all.length <= pageSize };
  const cursor = new HistoryCursor(claimed, {
    loadHistory: async (afterSeq) => {
      asked.push(afterSeq);
      return all.filter(({ seq }) => seq > afterSeq).slice(0, pageSize);
    },
  });
  return { cursor, asked };
}

describe('a history cursor', () => {
  it('on an empty history is used up at once', async () => {
    const { cursor, asked } = cursorOver([], 10);
    await cursor.prepare();
    expect([cursor.next, cursor.lastSeq, asked]).toEqual([undefined, 0, []]);
  });

  it('asks for nothing while an outcome lies ahead in what it has', async () => {
    const { cursor, asked } = cursorOver(entries(['value', 'activity_completed', 'value', 'timer_fired', 'value']), 4);
    await cursor.prepare();
    cursor.advance();
    await cursor.prepare();
    expect(asked).toEqual([]);
    cursor.advance();
    cursor.advance();
    await cursor.prepare();
    expect(asked).toEqual([7, 9]);
    expect(cursor.lastSeq).toBe(9);
  });

  it('has all readings at hand that stand before the next outcome, over several pages', async () => {
    const all = entries(['activity_completed', ...Array<HistoryKind>(25).fill('value'), 'timer_fired', 'value']);
    const { cursor } = cursorOver(all, 4);
    await cursor.prepare();
    // The code takes the outcome and then reads 25 values without a pause in which something could be loaded.
    const taken: HistoryEntry[] = [];
    for (let entry = cursor.next!; taken.length < 26; entry = cursor.next!) {
      taken.push(entry);
      cursor.advance();
    }
    expect(taken).toEqual(all.slice(0, 26));
    expect(cursor.next).toEqual(all[26]);
    await cursor.prepare();
    cursor.advance();
    expect(cursor.next).toEqual(all[27]);
  });

  it('gives out of its turn what is asked for behind the next entry, and goes on without it', async () => {
    const all = entries(['activity_completed', 'timer_fired', 'value', 'timer_fired']);
    const { cursor } = cursorOver(all, 10);
    await cursor.prepare();
    expect(cursor.takeOut(({ seq }) => seq === all[0]!.seq)).toBeUndefined();
    expect(cursor.takeOut(({ kind }) => kind === 'value')).toBe(all[2]);
    expect(cursor.takeOut(({ kind }) => kind === 'value')).toBeUndefined();
    const seen: (HistoryEntry | undefined)[] = [];
    for (; cursor.next !== undefined; cursor.advance()) seen.push(cursor.next);
    expect(seen).toEqual([all[0], all[1], all[3]]);
  });

  it('gives every entry once and in order, whatever the pages, and never runs dry before the end', async () => {
    const kind = fc.constantFrom<HistoryKind>(
      'value',
      'timer_set',
      'wait_set',
      'activity_completed',
      'activity_retry',
      'timer_fired',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(kind, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), async (kinds, pageSize) => {
        const all = entries(kinds);
        const { cursor, asked } = cursorOver(all, pageSize);
        const seen: HistoryEntry[] = [];
        await cursor.prepare();
        while (cursor.next !== undefined) {
          // As a replay goes: an outcome is prepared for; what was recorded at the call is asked for in passing.
          if (!isRecordedAtTheCall(cursor.next.kind)) await cursor.prepare();
          seen.push(cursor.next);
          cursor.advance();
        }
        expect(seen).toEqual(all);
        expect(cursor.lastSeq).toBe(all.at(-1)?.seq ?? 0);
        expect(asked.length).toBeLessThanOrEqual(Math.ceil(all.length / pageSize) + 1);
        expect(new Set(asked).size).toBe(asked.length);
      }),
    );
  });
});
