// Shows what stands between a socket and its driver: errors that end no process, and turns for everybody else.
import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { guardStream } from './guarded-stream.js';

describe('a guarded stream', () => {
  it('gives what its reader throws to whom it concerns, and goes on', async () => {
    const stream = new PassThrough();
    const read: string[] = [];
    const errors: Error[] = [];
    stream.on('data', (chunk: Buffer) => {
      read.push(chunk.toString());
      if (read.length === 1) throw new RangeError('no such message');
    });
    guardStream(stream, {
      clock: { now: () => 0, monotonic: () => 0, schedule: () => () => undefined },
      onError: (error) => errors.push(error),
    });
    stream.write('one');
    stream.write('two');
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([new RangeError('no such message')]);
    expect(read).toEqual(['one', 'two']);
  });

  it('lets others have their turn when there is more to read than fits into one, and loses nothing', async () => {
    const stream = new PassThrough({ highWaterMark: 1_000_000 });
    let now = 0;
    let read = 0;
    const readUntilPause: number[] = [];
    stream.on('data', () => {
      now += 4;
      read++;
    });
    stream.on('pause', () => readUntilPause.push(read));
    guardStream(stream, {
      clock: { now: () => now, monotonic: () => now, schedule: () => () => undefined },
      onError: () => undefined,
    });
    // The first is no more than is read without a look at the clock.
    for (let chunk = 0; chunk < 10; chunk++) stream.write('x'.repeat(16_384));
    await vi.waitUntil(() => read === 10);
    expect(readUntilPause).toEqual([4, 8]);
  });

  it('sifts each chunk once, however many read it', () => {
    const stream = new PassThrough();
    const read: string[] = [];
    const sifted: string[] = [];
    for (const name of ['driver', 'counter']) stream.on('data', (chunk: Buffer) => read.push(`${name} ${chunk.toString()}`));
    guardStream(stream, {
      clock: { now: () => 0, monotonic: () => 0, schedule: () => () => undefined },
      onError: () => undefined,
      sift: (chunk) => {
        sifted.push(Buffer.from(chunk).toString());
        return [chunk.subarray(1)];
      },
    });
    stream.emit('data', Buffer.from('abc'));
    expect([sifted, read]).toEqual([['abc'], ['driver bc', 'counter bc']]);
  });

  it('leaves a stream alone that has not what it takes', () => {
    const stream = { destroy: () => undefined };
    expect(() => {
      guardStream(stream, {
        clock: { now: () => 0, monotonic: () => 0, schedule: () => () => undefined },
        onError: () => undefined,
      });
    }).not.toThrow();
  });
});
