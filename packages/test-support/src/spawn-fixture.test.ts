// Shows that fixtures run from source, that their messages can be awaited, and that none is left behind.
import { describe, expect, it } from 'vitest';
import { compileFixture } from './compile-fixture.js';
import { refuseDeprecated } from './refuse-deprecated.js';
import { type FixtureProcess, spawnFixture } from './spawn-fixture.js';

const talker = new URL('../fixtures/talker.ts', import.meta.url);
const finisher = new URL('../fixtures/finisher.ts', import.meta.url);

interface Message {
  readonly kind: string;
  readonly [field: string]: unknown;
}

describe('spawnFixture', () => {
  it('passes arguments and environment, and runs from source', async () => {
    const child = spawnFixture(talker, ['a', 'b'], { GREETING: 'hi' });
    const hello = await child.message<Message>((message) => message.kind === 'hello');
    expect(hello).toMatchObject({ args: ['a', 'b'], greeting: 'hi' });
    expect(hello['flags']).toContain('--conditions=@romancy/source');
    expect(child.output).toContain('this line is no message');
  });

  it('hands every message out once, in whatever order they are asked for', async () => {
    const child = spawnFixture(talker);
    child.send({ number: 1 });
    child.send({ number: 2 });
    const echo = (message: Message): boolean => message.kind === 'echo';
    const first = await child.message(echo);
    const second = await child.message(echo);
    expect([first, second]).toMatchObject([{ message: { number: 1 } }, { message: { number: 2 } }]);
    expect(await child.message<Message>()).toMatchObject({ kind: 'hello' });
  });

  it('reports all that was said when a message does not come', async () => {
    const child = spawnFixture(talker);
    await child.message();
    await expect(child.message(() => false, { timeout: 1 })).rejects.toThrow(
      /talker\.ts did not say .*still running(.|\n)*"hello"/,
    );
  });

  it('reports the end of a process at once, with its complaints', async () => {
    const child = spawnFixture(finisher);
    await expect(child.message<Message>((message) => message.kind === 'never')).rejects.toThrow(/code 0(.|\n)*a complaint/);
    expect(await child.message<Message>()).toEqual({ kind: 'done' });
    await expect(child.message()).rejects.toThrow('ended without');
  });

  it('tells how a process ended', async () => {
    const gentle = spawnFixture(talker);
    await gentle.message();
    expect(await gentle.kill('SIGTERM')).toEqual({ code: 3, signal: null });
    const hard = spawnFixture(talker);
    expect(await hard.kill()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('ends a process that uses what is deprecated, and says where', async () => {
    const old = new URL('../fixtures/deprecated-caller.ts', import.meta.url);
    for (const child of [spawnFixture(old), spawnFixture(await compileFixture(old))]) {
      expect(await child.exited).toEqual({ code: 1, signal: null });
      expect(child.output).toMatch(/old habit of Node(.|\n)*throw warning(.|\n)*an old habit of a library\n +at /);
    }
  });

  it('is not alone with that: the process of a test does not use it either', () => {
    expect(process.listeners('warning')).toContain(refuseDeprecated);
  });

  describe('afterwards', () => {
    let left: FixtureProcess | undefined;

    it('leaves a process running only until the end of its test', async () => {
      left = spawnFixture(talker);
      await left.message();
    });

    it('has killed it', async () => {
      expect(await left?.exited).toEqual({ code: null, signal: 'SIGKILL' });
    });
  });

  it('does not let a process outlive the one that started it', async () => {
    const owner = spawnFixture(new URL('../fixtures/nested-owner.ts', import.meta.url));
    await owner.message<Message>((message) => message.kind === 'hello');
    // The inner process writes to the same pipe, and the end of that is waited for: this returns only when both are gone.
    expect(await owner.kill()).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
