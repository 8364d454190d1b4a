// Each note once, never more than a bound, and a count of what was spared.
import type { Wakeup } from '@romancy/core/ports';
import { describe, expect, it } from 'vitest';
import { emptyBatch, longestPending, notesOf, NoteQueue, type Batch } from './note-queue.js';
import { everythingNote, type Note } from './note.js';

/** Kinds of which many share a note, and one of which each has its own, are gathered in two ways. */
const kinds = {
  'that share notes': (id: string): Wakeup => ({ kind: 'outbox_pending', eventId: id }),
  'with a note each': (id: string): Wakeup => ({ kind: 'worker_busy', workerId: id }),
};
const toldBy = (batch: Batch): Note[] =>
  [...notesOf(batch)].flatMap(([kind, payloads]) => payloads.map((payload) => ({ kind, payload })));
const taken = (queue: NoteQueue): Note[] => toldBy(queue.take());
const tooLong: Wakeup = { kind: 'outbox_pending', eventId: 'x'.repeat(8000) };

describe.each(Object.entries(kinds))('the queue of wake-ups %s', (_kinds, wakeup) => {
  const note = (id: string): Note => {
    const told = wakeup(id);
    return { kind: told.kind, payload: JSON.stringify(told.kind === 'worker_busy' ? { worker_id: id } : { event_id: id }) };
  };
  const filled = (...ids: readonly string[]): NoteQueue => {
    const queue = new NoteQueue();
    for (const id of ids) queue.add(wakeup(id));
    return queue;
  };

  it('hands out equal notes once, in the order in which they came first', () => {
    const queue = filled('b', 'a', 'b', 'a', 'b');
    expect([queue.size, queue.wakeups, queue.coalesced]).toEqual([2, 5, 3]);
    const batch = queue.take();
    expect([toldBy(batch), batch.size, batch.wakeups]).toEqual([[note('b'), note('a')], 2, 5]);
    expect(queue.take()).toEqual(emptyBatch);
  });

  it('does not take equal ids of two kinds for one', () => {
    const queue = filled('a');
    queue.add({ kind: 'workflow_finished', instanceId: 'a' });
    expect(queue.size).toBe(2);
  });

  it('lets one for everything take the place of all, before and after it', () => {
    const queue = filled('a', 'b');
    queue.add(tooLong);
    queue.add(wakeup('c'));
    queue.add(tooLong);
    const batch = queue.take();
    expect([toldBy(batch), batch.size, batch.wakeups]).toEqual([[everythingNote], 1, 5]);
    expect(queue.coalesced).toBe(4);
  });

  it('degrades beyond its bound, and is flat from there on', () => {
    const queue = new NoteQueue();
    for (let i = 0; i < longestPending; i++) queue.add(wakeup(String(i)));
    expect(queue.size).toBe(longestPending);
    for (let i = 0; i < longestPending; i++) queue.add(wakeup(`more ${i}`));
    expect([queue.size, queue.wakeups]).toEqual([1, 2 * longestPending]);
    expect(taken(queue)).toEqual([everythingNote]);
  });

  it('takes a lower bound at once', () => {
    const queue = filled('a', 'b', 'c');
    queue.limit(3);
    expect(queue.size).toBe(3);
    queue.limit(2);
    expect(taken(queue)).toEqual([everythingNote]);
    queue.add(wakeup('d'));
    expect(taken(queue)).toEqual([note('d')]);
  });

  it('takes back what could not be sent, in front', () => {
    const queue = filled('a', 'b');
    const batch = queue.take();
    queue.add(wakeup('c'));
    queue.add(wakeup('a'));
    queue.putBack(batch);
    const again = queue.take();
    expect([toldBy(again), again.size, again.wakeups]).toEqual([[note('a'), note('b'), note('c')], 3, 4]);
  });

  it('tells of a gap without counting it as a wake-up', () => {
    const queue = new NoteQueue();
    queue.addGap();
    const batch = queue.take();
    expect([toldBy(batch), batch.wakeups]).toEqual([[everythingNote], 0]);
  });
});
