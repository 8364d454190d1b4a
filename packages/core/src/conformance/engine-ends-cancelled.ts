// Asks for the end of an instance through one app, and looks at it through two.
import { expect } from 'vitest';
import { WorkflowCancelledError } from '../index.js';
import type { EngineHarness, TestApp } from './engine-harness.js';

export interface CancelledThrough {
  /** The one whose instance it is, as a rule. */
  readonly app: TestApp;
  /** The one that asks for it. */
  readonly by: TestApp;
  readonly instanceId: string;
}

/** Cancels the instance, and expects both apps to say so, also to who waits for its result. */
export async function endsCancelled(harness: EngineHarness, { app, by, instanceId }: CancelledThrough): Promise<void> {
  await harness.drive(by.romancy.cancel(instanceId, 'enough'));
  for (const { romancy } of [app, by]) {
    const error = await harness.failure(romancy.getHandle(instanceId).result());
    expect(error).toBeInstanceOf(WorkflowCancelledError);
    expect(error).toMatchObject({ instanceId, reason: 'enough' });
    expect(await romancy.get(instanceId)).toMatchObject({
      status: 'cancelled',
      cancelRequested: true,
      cancelReason: 'enough',
      workerId: null,
      wakeAt: null,
    });
  }
}
