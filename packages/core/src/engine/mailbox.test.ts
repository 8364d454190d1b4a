// The mail of a run in memory: taken once, oldest first, also from beyond what a read brings.
import { describe, expect, it } from 'vitest';
import type { Mail } from '../ports/run-signals.js';
import { Mailbox } from './mailbox.js';

const mail = (number: number, topic: string): Mail => ({ mailId: String(number), topic, data: `"${number}"`, isQueued: false });

/** A mailbox before a storage that holds `stored`, read three pieces at a time. */
function mailboxBefore(stored: readonly Mail[]) {
  const loads: (string | null)[] = [];
  const mailbox = new Mailbox({
    mailLimit: 3,
    loadMail: async (topic, after) => {
      loads.push(after);
      return stored.filter((piece) => piece.topic === topic && Number(piece.mailId) > Number(after ?? 0)).slice(0, 3);
    },
  });
  return { mailbox, loads };
}

describe('a mailbox', () => {
  it('gives the oldest of a topic, each once', () => {
    const { mailbox } = mailboxBefore([]);
    mailbox.add([mail(1, 'a'), mail(2, 'b')]);
    mailbox.add([mail(3, 'a')]);
    expect([mailbox.take('a'), mailbox.take('a'), mailbox.take('a')].map((piece) => piece?.mailId)).toEqual([
      '1',
      '3',
      undefined,
    ]);
    expect(mailbox.take('c')).toBeUndefined();
    expect(mailbox.take('b')?.mailId).toBe('2');
  });

  it('does not give again what a later read brings again', () => {
    const { mailbox } = mailboxBefore([]);
    mailbox.add([mail(1, 'a'), mail(2, 'a')]);
    expect(mailbox.take('a')?.mailId).toBe('1');
    // Read before the removal of the first was committed.
    mailbox.add([mail(1, 'a'), mail(2, 'a')]);
    expect(mailbox.take('a')?.mailId).toBe('2');
    expect(mailbox.take('a')).toBeUndefined();
  });

  it('knows whether there may be more than it was given', () => {
    const { mailbox } = mailboxBefore([]);
    mailbox.add([mail(1, 'a'), mail(2, 'a')]);
    expect(mailbox.mayHaveMore).toBe(false);
    mailbox.add([mail(1, 'a'), mail(2, 'a'), mail(3, 'b')]);
    expect(mailbox.mayHaveMore).toBe(true);
  });

  it('finds what lies beyond, in order, and stops where there is nothing new', async () => {
    const noise = Array.from({ length: 5 }, (_, index) => mail(index + 1, 'noise'));
    const wanted = Array.from({ length: 8 }, (_, index) => mail(index + 10, 'wanted'));
    const { mailbox, loads } = mailboxBefore([...noise, ...wanted]);
    mailbox.add(noise.slice(0, 3));
    const taken: string[] = [];
    for (;;) {
      const piece = mailbox.take('wanted');
      if (piece !== undefined) {
        taken.push(piece.mailId);
        continue;
      }
      const before = loads.length;
      await mailbox.search('wanted');
      if (loads.length - before > 3) break;
    }
    expect(taken).toEqual(wanted.map(({ mailId }) => mailId));
    await mailbox.search('nobody');
    expect(mailbox.take('nobody')).toBeUndefined();
  });

  it('searched by two waits at once gives each another piece', async () => {
    const { mailbox } = mailboxBefore([mail(1, 'a'), mail(2, 'a'), mail(3, 'a'), mail(4, 'a')]);
    const find = async (): Promise<string | undefined> => {
      await mailbox.search('a');
      return mailbox.take('a')?.mailId;
    };
    expect((await Promise.all([find(), find(), find(), find(), find()])).sort()).toEqual(['1', '2', '3', '4', undefined]);
  });

  it('believes nothing that was read before its topic was forgotten', async () => {
    let answer = (_page: readonly Mail[]): void => undefined;
    const loadMail = (): Promise<readonly Mail[]> => new Promise((resolve) => (answer = resolve));
    const mailbox = new Mailbox({ mailLimit: 3, loadMail });
    const searching = mailbox.search('a');
    mailbox.forget('a');
    answer([mail(1, 'a')]);
    expect(await searching).toBe(false);
    expect(mailbox.take('a')).toBeUndefined();
    const again = mailbox.search('a');
    mailbox.forget('b');
    answer([mail(2, 'a')]);
    expect(await again).toBe(true);
    expect(mailbox.take('a')?.mailId).toBe('2');
  });
});
