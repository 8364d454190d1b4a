// What the durability suite's workflows do to the world.
import type { ActivityContext } from '../index.js';

/** Supplied by the process that runs them. */
export interface Effects {
  /** This process takes over from a dead one: what was meant to get stuck there does not get stuck here. */
  readonly isHeir: boolean;
  /** Notes an attempt, before its effect. */
  note(ctx: Pick<ActivityContext, 'instanceId' | 'activityId' | 'attempt'>): void;
  /** Writes a row of the user in the activity's own transaction. */
  writeRow(ctx: ActivityContext, key: string): Promise<void>;
  /** Has somebody send this event to the instance, a little later. */
  ask(instanceId: string, event: string): void;
}
