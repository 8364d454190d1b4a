// Shows that a compiled fixture does what its source does, starts without a loader, and does not outlive who started it.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { compileFixture } from './compile-fixture.js';
import { spawnFixture } from './spawn-fixture.js';

const talker = new URL('../fixtures/talker.ts', import.meta.url);

it('compiles a fixture once, and it runs as from source', async () => {
  const compiled = await compileFixture(talker);
  expect(await compileFixture(talker)).toBe(compiled);
  const child = spawnFixture(compiled, ['a'], { GREETING: 'hi' });
  expect(await child.message()).toMatchObject({ kind: 'hello', args: ['a'], greeting: 'hi', flags: [] });
  child.send({ number: 1 });
  expect(await child.message()).toMatchObject({ kind: 'echo', message: { number: 1 } });
});

it('compiles what a program starts by name into the same folder', async () => {
  const owner = await compileFixture(new URL('../fixtures/compiled-owner.ts', import.meta.url), { beside: [talker] });
  const child = spawnFixture(join(dirname(owner), 'talker.mjs'), ['b'], { GREETING: 'hi' });
  expect(await child.message()).toMatchObject({ kind: 'hello', args: ['b'], flags: [] });
});

it('takes packages along, and the guard', async () => {
  const compiled = await compileFixture(new URL('../fixtures/postgres-client.ts', import.meta.url));
  const text = await readFile(compiled, 'utf8');
  expect(text).not.toMatch(/from "[^"]*node_modules/);
  expect(text).toContain('process.stdin.once("close"');
  expect(await spawnFixture(compiled).message()).toEqual({ client: 'function' });
});

it('does not let a compiled fixture outlive the one that started it', async () => {
  const owner = spawnFixture(await compileFixture(new URL('../fixtures/compiled-owner.ts', import.meta.url)), [
    await compileFixture(talker),
  ]);
  await owner.message<{ kind: string }>(({ kind }) => kind === 'hello');
  // The inner process writes to the same pipe, and the end of that is waited for: this returns only when both are gone.
  expect(await owner.kill()).toEqual({ code: null, signal: 'SIGKILL' });
});
