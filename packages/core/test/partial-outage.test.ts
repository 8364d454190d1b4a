// An outage is one line when it begins and one when it is over, also when only a part of the storage fails.
import { expect, it } from 'vitest';
import { StorageUnavailableError } from '../src/index.js';
import { StorageHealth } from '../src/scheduler/storage-health.js';
import { ManualClock, recordingLogger, seededEntropy, settleTurns } from '../src/testing/index.js';

function bench() {
  const clock = new ManualClock();
  const logger = recordingLogger();
  const health = new StorageHealth({ clock, logger, entropy: seededEntropy(1), description: 'a file' });
  const said = (): string[] => logger.lines.map(({ message }) => message.replace(/,.*/, ''));
  return { clock, health, said };
}

const unavailable = (): Promise<never> => Promise.reject(new StorageUnavailableError('the disk is full'));

it('is over when the call that failed succeeds, not when another one does', async () => {
  const { clock, health, said } = bench();
  let isFull = true;
  const write = health.keepTrying(() => (isFull ? unavailable() : Promise.resolve('written')));
  await settleTurns(2);
  expect(await health.keepTrying(() => Promise.resolve('read'))).toBe('read');
  expect([health.available, said()]).toEqual([false, ['storage unavailable']]);
  isFull = false;
  await clock.advance('10s');
  expect(await write).toBe('written');
  expect([health.available, said()]).toEqual([true, ['storage unavailable', 'storage available again']]);
});

it('is over with the next success when those that failed have given up', async () => {
  const { health, said } = bench();
  const giveUp = new AbortController();
  const write = health.keepTrying(unavailable, giveUp.signal);
  await settleTurns(2);
  giveUp.abort(new Error('enough'));
  await expect(write).rejects.toThrow('enough');
  expect(health.available).toBe(false);
  await health.keepTrying(() => Promise.resolve('read'));
  expect([health.available, said()]).toEqual([true, ['storage unavailable', 'storage available again']]);
});
