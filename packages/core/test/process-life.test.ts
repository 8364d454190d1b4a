// A started app keeps its process alive; a stopped one lets it go.
import { spawnFixture } from '@romancy/test-support';
import { expect, it } from 'vitest';

it('a worker lives while it runs, and its process ends by itself after stop', async () => {
  const worker = spawnFixture(new URL('fixtures/living-worker.ts', import.meta.url).pathname);
  await worker.message((message) => 'polls' in (message as object));
  void worker.kill('SIGTERM');
  expect(await worker.exited).toMatchObject({ code: 0 });
});
