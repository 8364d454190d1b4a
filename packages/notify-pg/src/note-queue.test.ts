// Each note once, never more than a bound, and a count of what was spared.
import { describe, expect, it } from 'vitest';
import { emptyBatch, longestPending, NoteQueue, type Batch } from './note-queue.js';
import { everythingNote, type Note } from './note.js';

const note = (id: string): Note => ({ kind: 'outbox_pending', payload: id });
const taken = (queue: NoteQueue): Note[] => notesOf(queue.take());
const notesOf = ({ notes }: Batch): Note[] =>
  [...notes].flatMap(([kind, payloads]) => [...payloads].map((payload) => ({ kind, payload })));
const filled = (...ids: readonly string[]): NoteQueue => {
  const queue = new NoteQueue();
  for (const id of ids) queue.add(note(id));
  return queue;
};

describe('the queue of notes', () => {
  it('hands out equal notes once, in the order in which they came first', () => {
    const queue = filled('b', 'a', 'b', 'a', 'b');
    expect([queue.size, queue.wakeups, queue.coalesced]).toEqual([2, 5, 3]);
    const batch = queue.take();
    expect([notesOf(batch), batch.size, batch.wakeups]).toEqual([[note('b'), note('a')], 2, 5]);
    expect(queue.take()).toEqual(emptyBatch);
  });

  it('does not take equal payloads of two kinds for one', () => {
    const queue = filled('a');
    queue.add({ kind: 'worker_busy', payload: 'a' });
    expect(queue.size).toBe(2);
  });

  it('lets one for everything take the place of all, before and after it', () => {
    const queue = filled('a', 'b');
    queue.add(everythingNote);
    queue.add(note('c'));
    queue.add(everythingNote);
    const batch = queue.take();
    expect([notesOf(batch), batch.size, batch.wakeups]).toEqual([[everythingNote], 1, 5]);
    expect(queue.coalesced).toBe(4);
  });

  it('degrades beyond its bound, and is flat from there on', () => {
    const queue = new NoteQueue();
    for (let i = 0; i < longestPending; i++) queue.add(note(String(i)));
    expect(queue.size).toBe(longestPending);
    for (let i = 0; i < longestPending; i++) queue.add(note(`more ${i}`));
    expect([queue.size, queue.wakeups]).toEqual([1, 2 * longestPending]);
    expect(taken(queue)).toEqual([everythingNote]);
  });

  it('takes a lower bound at once', () => {
    const queue = filled('a', 'b', 'c');
    queue.limit(3);
    expect(queue.size).toBe(3);
    queue.limit(2);
    expect(taken(queue)).toEqual([everythingNote]);
    queue.add(note('d'));
    expect(taken(queue)).toEqual([note('d')]);
  });

  it('takes back what could not be sent, in front', () => {
    const queue = filled('a', 'b');
    const batch = queue.take();
    queue.add(note('c'));
    queue.add(note('a'));
    queue.putBack(batch);
    const again = queue.take();
    expect([notesOf(again), again.size, again.wakeups]).toEqual([[note('a'), note('b'), note('c')], 3, 4]);
  });

  it('tells of a gap without counting it as a wake-up', () => {
    const queue = new NoteQueue();
    queue.addGap();
    const batch = queue.take();
    expect([notesOf(batch), batch.wakeups]).toEqual([[everythingNote], 0]);
  });
});
