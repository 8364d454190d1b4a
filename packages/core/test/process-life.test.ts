// A started app keeps its process alive; a stopped one lets it go.
import { compileFixture, spawnFixture } from '@romancy/test-support';
import { expect, it } from 'vitest';

it('a worker lives while it runs, and its process ends by itself after stop', async () => {
  const worker = spawnFixture(await compileFixture(new URL('fixtures/living-worker.ts', import.meta.url)));
  await worker.message((message) => 'polls' in (message as object));
  void worker.kill('SIGTERM');
  expect(await worker.exited).toMatchObject({ code: 0 });
});
