// Shows what counts as "not yet" and what is said when time is up.
import { expect, it } from 'vitest';
import { eventually } from './eventually.js';

it('returns the first truthy value', async () => {
  const values = [0, undefined, '', 'there'];
  expect(await eventually(() => values.shift(), { interval: 1 })).toBe('there');
});

it('takes an error for "not yet"', async () => {
  let looks = 0;
  await eventually(
    () => {
      expect(++looks).toBe(3);
      return true;
    },
    { interval: 1 },
  );
  expect(looks).toBe(3);
});

it('looks once a turn of the event loop, if it is told to', async () => {
  let turns = 0;
  const turn = (): void => void (++turns < 5 && setImmediate(turn));
  setImmediate(turn);
  const seen: number[] = [];
  await eventually(() => seen.push(turns) > 0 && turns === 5, { interval: 'turn' });
  expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
});

it('gives up with the last error as its cause', async () => {
  const cause = new Error('still closed');
  const waiting = eventually(() => Promise.reject(cause), { timeout: 5, interval: 1 });
  await expect(waiting).rejects.toMatchObject({ message: expect.stringContaining('within 5 ms') as string, cause });
});
