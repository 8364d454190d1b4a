// Each note once, never more than a bound, and a count of what was spared.
import { describe, expect, it } from 'vitest';
import { longestPending, NoteQueue } from './note-queue.js';
import { everythingNote, type Note } from './note.js';

const note = (id: string): Note => ({ kind: 'outbox_pending', payload: id });
const filled = (...ids: readonly string[]): NoteQueue => {
  const queue = new NoteQueue();
  for (const id of ids) queue.add(note(id));
  return queue;
};

describe('the queue of notes', () => {
  it('hands out equal notes once, in the order in which they came first', () => {
    const queue = filled('b', 'a', 'b', 'a', 'b');
    expect([queue.size, queue.wakeups, queue.coalesced]).toEqual([2, 5, 3]);
    expect(queue.take()).toEqual({ notes: [note('b'), note('a')], wakeups: 5 });
    expect(queue.take()).toEqual({ notes: [], wakeups: 0 });
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
    expect(queue.take()).toEqual({ notes: [everythingNote], wakeups: 5 });
    expect(queue.coalesced).toBe(4);
  });

  it('degrades beyond its bound, and is flat from there on', () => {
    const queue = new NoteQueue();
    for (let i = 0; i < longestPending; i++) queue.add(note(String(i)));
    expect(queue.size).toBe(longestPending);
    for (let i = 0; i < longestPending; i++) queue.add(note(`more ${i}`));
    expect([queue.size, queue.wakeups]).toEqual([1, 2 * longestPending]);
    expect(queue.take().notes).toEqual([everythingNote]);
  });

  it('takes a lower bound at once', () => {
    const queue = filled('a', 'b', 'c');
    queue.limit(3);
    expect(queue.size).toBe(3);
    queue.limit(2);
    expect(queue.take().notes).toEqual([everythingNote]);
    queue.add(note('d'));
    expect(queue.take().notes).toEqual([note('d')]);
  });

  it('takes back what could not be sent, in front', () => {
    const queue = filled('a', 'b');
    const batch = queue.take();
    queue.add(note('c'));
    queue.add(note('a'));
    queue.putBack(batch);
    expect(queue.take()).toEqual({ notes: [note('a'), note('b'), note('c')], wakeups: 4 });
  });

  it('tells of a gap without counting it as a wake-up', () => {
    const queue = new NoteQueue();
    queue.addGap();
    expect(queue.take()).toEqual({ notes: [everythingNote], wakeups: 0 });
  });
});
