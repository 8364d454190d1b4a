// What a worker writes with.
import type { InstanceLookup } from './instance-lookup.js';
import type { WriteScope } from './write-scope.js';

/** What a worker writes with. */
export interface WorkerScope extends WriteScope {
  readonly workerId: string;
  readonly lookup: InstanceLookup;
}
