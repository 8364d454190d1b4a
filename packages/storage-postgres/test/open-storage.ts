// Opens storages that are closed with their test, and registers workers on them.
import type { Storage } from '@romancy/core/ports';
import { afterwards } from '@romancy/test-support';
import { createPostgresStorage, type PostgresStorageOptions } from '../src/index.js';
import { context } from './storage-context.js';

export async function openStorage(options: PostgresStorageOptions): Promise<Storage> {
  const storage = createPostgresStorage(options);
  afterwards(() => storage.close());
  await storage.open(context);
  return storage;
}

export async function registered(storage: Storage, workerId: string, leaseMs = 3_600_000): Promise<string> {
  await storage.leases.register({ workerId, serviceName: 'test', leaseMs, workflowNames: ['order'], starts: [] });
  return workerId;
}
