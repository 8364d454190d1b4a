// First come, first served.
import { expect, it } from 'vitest';
import { WriteLock } from './write-lock.js';

const { signal } = new AbortController();
const none = { synchronousMs: 0 };

it('goes to one after the other, to an urgent one first, and never to one that gave up', async () => {
  const lock = new WriteLock();
  const order: string[] = [];
  const release = await lock.acquire({ signal });
  const giveUp = new AbortController();
  const others = [
    lock.acquire({ signal }).then((done) => (order.push('first'), done(none))),
    lock.acquire({ signal: giveUp.signal }).then(
      () => order.push('never'),
      (error: Error) => order.push(error.message),
    ),
    lock.acquire({ signal }).then((done) => (order.push('second'), done(none))),
    lock.acquire({ signal, urgent: true }).then((done) => (order.push('urgent'), done(none))),
  ];
  giveUp.abort(new Error('gave up'));
  release(none);
  release(none);
  await Promise.all(others);
  expect(order).toEqual(['gave up', 'urgent', 'first', 'second']);
  await expect(lock.acquire({ signal: giveUp.signal })).rejects.toThrow('gave up');
  (await lock.acquire({ signal }))(none);
});

it('rests after a long hold, so that other processes come to the file', async () => {
  const lock = new WriteLock();
  const release = await lock.acquire({ signal });
  const next = lock.acquire({ signal });
  const began = performance.now();
  release({ asynchronousMs: 60 });
  (await next)(none);
  // A timer of 15 ms may come a millisecond early by this clock.
  expect(performance.now() - began).toBeGreaterThanOrEqual(13);
});

it('lets the event loop turn when many short holds follow each other', async () => {
  const lock = new WriteLock();
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  const began = performance.now();
  const holds = Array.from({ length: 200 }, async () => {
    const release = await lock.acquire({ signal: new AbortController().signal });
    // Each as synchronous as a commit.
    for (const end = performance.now() + 1; performance.now() < end;);
    release({ synchronousMs: 1 });
  });
  await Promise.all(holds);
  clearInterval(counting);
  expect(performance.now() - began).toBeGreaterThanOrEqual(200);
  expect(turns).toBeGreaterThan(5);
});
