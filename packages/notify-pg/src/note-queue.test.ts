// Each note once, never more than a bound, and a count of what was spared.
import type { Wakeup } from '@romancy/core/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelNames } from './channel-names.js';
import { encodeWakeup } from './encode-wakeup.js';
import { channelNotesOf, emptyBatch, longestPending, notesOf, NoteQueue, type Batch } from './note-queue.js';
import { everythingNote } from './note.js';

/** A kind of which many share a note, and one of which each has its own. */
const kinds = {
  'that share notes': (id: string): Wakeup => ({ kind: 'workflow_finished', instanceId: id }),
  'with a note each': (id: string): Wakeup => ({ kind: 'worker_busy', workerId: id }),
};
/** The ids in the notes, note by note. */
const toldBy = (batch: Batch): string[] =>
  notesOf(batch).flatMap(([kind, payloads]) =>
    payloads.flatMap((payload) => {
      if (kind === everythingNote.kind) return [kind];
      const { instance_id: instanceId, worker_id: workerId, others = [] } = JSON.parse(payload) as Named;
      return [(instanceId ?? workerId)!, ...others];
    }),
  );
const taken = (queue: NoteQueue): string[] => toldBy(queue.take());
const tooLong: Wakeup = { kind: 'outbox_pending', eventId: 'x'.repeat(8000) };

interface Named {
  readonly instance_id?: string;
  readonly worker_id?: string;
  readonly others?: readonly string[];
}

describe.each(Object.entries(kinds))('the queue of wake-ups %s', (_kinds, wakeup) => {
  const filled = (...ids: readonly string[]): NoteQueue => {
    const queue = new NoteQueue();
    for (const id of ids) queue.add(wakeup(id));
    return queue;
  };

  it('hands out equal notes once, in the order in which they came first', () => {
    const queue = filled('b', 'a', 'b', 'a', 'b');
    expect([queue.size, queue.wakeups, queue.coalesced]).toEqual([2, 5, 3]);
    const batch = queue.take();
    expect([toldBy(batch), batch.size, batch.wakeups]).toEqual([['b', 'a'], 2, 5]);
    expect(queue.take()).toEqual(emptyBatch);
  });

  it('does not take equal ids of two kinds for one', () => {
    const queue = filled('a');
    queue.add({ kind: 'workflow_claimed', instanceId: 'a' });
    expect(queue.size).toBe(2);
  });

  it('lets one for everything take the place of all, before and after it', () => {
    const queue = filled('a', 'b');
    queue.add(tooLong);
    queue.add(wakeup('c'));
    queue.add(tooLong);
    const batch = queue.take();
    expect([toldBy(batch), batch.size, batch.wakeups]).toEqual([[everythingNote.kind], 1, 5]);
    expect(queue.coalesced).toBe(4);
  });

  it('degrades beyond its bound, and is flat from there on', () => {
    const queue = new NoteQueue();
    for (let i = 0; i < longestPending; i++) queue.add(wakeup(String(i)));
    expect(queue.size).toBe(longestPending);
    for (let i = 0; i < longestPending; i++) queue.add(wakeup(`more ${i}`));
    expect([queue.size, queue.wakeups]).toEqual([1, 2 * longestPending]);
    expect(taken(queue)).toEqual([everythingNote.kind]);
  });

  it('takes a lower bound at once', () => {
    const queue = filled('a', 'b', 'c');
    queue.limit(3);
    expect(queue.size).toBe(3);
    queue.limit(2);
    expect(taken(queue)).toEqual([everythingNote.kind]);
    queue.add(wakeup('d'));
    expect(taken(queue)).toEqual(['d']);
  });

  it('takes back what could not be sent, in front', () => {
    const queue = filled('a', 'b');
    const batch = queue.take();
    queue.add(wakeup('c'));
    queue.add(wakeup('a'));
    queue.putBack(batch);
    const again = queue.take();
    expect([toldBy(again), again.size, again.wakeups]).toEqual([['a', 'b', 'c'], 3, 4]);
  });

  it('tells of a gap without counting it as a wake-up', () => {
    const queue = new NoteQueue();
    queue.addGap();
    const batch = queue.take();
    expect([toldBy(batch), batch.wakeups]).toEqual([[everythingNote.kind], 0]);
  });
});

describe('notes of workflows that can be resumed', () => {
  it('are those of the contract, each once, whatever is in ids and names, one line each', () => {
    const text = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'ü', '"', '\\', '\n', '\u007f', '', 'x'.repeat(7790), 'x'.repeat(7850));
    const wakeups = fc.array(
      fc.tuple(text, text, fc.constantFrom(undefined, 3)).map(([instanceId, workflowName, more]): Wakeup => ({
        kind: 'workflow_resumable',
        instanceId,
        workflowName,
        ...(more === undefined ? {} : { more }),
      })),
      { minLength: 1, maxLength: 40 },
    );
    const channels = channelNames('p');
    const property = fc.property(wakeups, fc.boolean(), (all, isPutBack) => {
      const queue = new NoteQueue();
      for (const one of all) queue.add(one);
      if (isPutBack) queue.putBack(queue.take());
      const batch = queue.take();
      const each = [...new Set(all.map((one) => encodeWakeup(one).payload))];
      const expected = each.includes(everythingNote.payload) ? [everythingNote.payload] : each;
      expect(
        notesOf(batch)
          .flatMap(([, payloads]) => payloads)
          .sort(),
      ).toEqual(expected.sort());
      expect([batch.size, batch.wakeups, queue.coalesced]).toEqual([expected.length, all.length, all.length - expected.length]);
      const notes = channelNotesOf(batch, channels);
      expect(notes.length).toBeLessThanOrEqual(5);
      const payloads = notes.flatMap(({ head, tail, texts, count }) => {
        const lines = texts.split('\n');
        expect(lines.length).toBe(count);
        return lines.map((line) => head + line + tail);
      });
      expect(payloads.sort()).toEqual(expected);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('with no id are not left out by a server, to which a list of one empty text is an empty one', () => {
    const queue = new NoteQueue();
    queue.add({ kind: 'outbox_pending', eventId: 'e' });
    queue.add({ kind: 'workflow_resumable', instanceId: '', workflowName: 'order' });
    for (const { texts } of channelNotesOf(queue.take(), channelNames('romancy'))) expect(texts).not.toBe('');
  });

  it('of very many workflows are few lists, also after they could not be sent, and equal ones are one', () => {
    const queue = new NoteQueue();
    const fill = (from: number): void => {
      for (let index = 0; index < 40; index++) {
        queue.add({ kind: 'workflow_resumable', instanceId: String(index % 20), workflowName: `w${(from + index) % 20}` });
      }
    };
    fill(0);
    const batch = queue.take();
    fill(0);
    fill(7);
    queue.putBack(batch);
    const again = queue.take();
    for (const { told } of [batch, again]) expect(told.length).toBe(5);
    expect([batch.size, again.size, new Set(notesOf(again).flatMap(([, payloads]) => payloads)).size]).toEqual([20, 40, 40]);
  });
});
