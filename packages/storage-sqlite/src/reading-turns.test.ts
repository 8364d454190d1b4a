// Reads in a row: the event loop turns between them when they have added up, however many ask at once.
import { expect, it } from 'vitest';
import { ReadingTurns } from './reading-turns.js';

function busyFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

it('many that ask at once are answered over many turns, each by no more than fit into it', async () => {
  const turns = new ReadingTurns();
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const readsOfTurn = new Map<number, number>();
  const read = async (): Promise<void> => {
    await turns.take(async () => busyFor(3));
    readsOfTurn.set(turn, (readsOfTurn.get(turn) ?? 0) + 1);
  };
  await Promise.all(Array.from({ length: 30 }, read));
  isOver = true;
  // All but the first ask after others have read: three of three milliseconds make more than eight.
  expect([...readsOfTurn.values()].reduce((sum, reads) => sum + reads, 0)).toBe(30);
  expect(readsOfTurn.size).toBeGreaterThanOrEqual(9);
  expect(Math.max(...readsOfTurn.values())).toBeLessThanOrEqual(6);
});

it('one that comes alone is made within the call', async () => {
  const turns = new ReadingTurns();
  let isRead = false;
  const reading = turns.take(async () => (isRead = true));
  expect(isRead).toBe(true);
  expect(await reading).toBe(true);
});
