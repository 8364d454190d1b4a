// The example of the README, run as it stands there.
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createDatabase, spawnFixture, temporaryDirectory } from '@romancy/test-support';
import { expect, it } from 'vitest';

const home = fileURLToPath(new URL('..', import.meta.url));

it('greets, and ends by itself', async () => {
  const { url } = await createDatabase();
  const readme = await readFile(join(home, 'README.md'), 'utf8');
  const [, example] = /```ts\n([^]*?)```/.exec(readme)!;
  // What its user has installed.
  const folder = await temporaryDirectory();
  for (const name of ['@romancy/core', '@romancy/storage-postgres', '@romancy/notify-pg', 'pg']) {
    const installed = join(folder, 'node_modules', name);
    await mkdir(dirname(installed), { recursive: true });
    await symlink(name === '@romancy/notify-pg' ? home : join(home, 'node_modules', name), installed, 'dir');
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const file = join(folder, 'example.ts');
  await writeFile(file, example!);
  const greeting = spawnFixture(pathToFileURL(file), [], { DATABASE_URL: url });
  expect(await greeting.exited, greeting.output).toEqual({ code: 0, signal: null });
  expect(greeting.output).toContain('Hello Ada');
});
