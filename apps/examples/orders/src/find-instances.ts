// What earlier starts of the demo have left in the database.
import type { InstanceView, Romancy } from '@romancy/core';

/** All instances of one workflow by their ids. */
export async function findInstances(romancy: Romancy, workflowName: string): Promise<ReadonlyMap<string, InstanceView>> {
  const found = new Map<string, InstanceView>();
  let cursor: string | undefined;
  do {
    const page = await romancy.list({ workflowName, limit: 1000, cursor });
    for (const instance of page.instances) if (instance.workflowName === workflowName) found.set(instance.instanceId, instance);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
