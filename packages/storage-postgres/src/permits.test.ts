// Places are handed out in order, and none is lost.
import { expect, it } from 'vitest';
import { Permits } from './permits.js';

const never = new AbortController().signal;

it('hands out as many as there are, then in the order of asking', async () => {
  const permits = new Permits(2);
  await permits.take(never);
  await permits.take(never);
  const order: number[] = [];
  const waiting = [1, 2, 3].map((n) => permits.take(never).then(() => order.push(n)));
  permits.give();
  permits.give();
  permits.give();
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
});

it('forgets who gave up', async () => {
  const permits = new Permits(1);
  await permits.take(never);
  const attempt = new AbortController();
  const [first, second] = [permits.take(attempt.signal), permits.take(never)];
  attempt.abort(new Error('over'));
  await expect(first).rejects.toThrow('over');
  permits.give();
  await second;
  await expect(permits.take(AbortSignal.abort(new Error('never begun')))).rejects.toThrow('never begun');
  permits.give();
  await permits.take(never);
});
