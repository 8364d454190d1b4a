// Whoever clears away instances that have ended leaves nobody waiting for them for ever.
import { defineWorkflow, InstanceNotFoundError, Romancy, silentLogger } from '@romancy/core';
import { createMemoryDatabase, createMemoryStorage } from '@romancy/core/testing';
import { afterwards } from '@romancy/test-support';
import { expect, it } from 'vitest';

it('a handle that is asked for its result after its instance was deleted says so', async () => {
  const database = createMemoryDatabase();
  const workflow = defineWorkflow('short', () => 'done');
  const romancy = new Romancy({ storage: createMemoryStorage({ database }), workflows: [workflow], logger: silentLogger });
  afterwards(() => romancy.stop());
  await romancy.start();
  const handle = await romancy.startWorkflow(workflow, undefined, { instanceId: 'short' });
  expect(await handle.result()).toBe('done');
  expect(await handle.result()).toBe('done');
  database.instances.delete('short');
  await expect(handle.result({ timeout: '5s' })).rejects.toBeInstanceOf(InstanceNotFoundError);
});
