// What a settlement makes of an instance's row.
import type { InstanceStatus, Settlement } from '@romancy/core/ports';

/** The row as it is to be, and on which conditions. */
export interface SettledState {
  readonly instanceId: string;
  readonly status: InstanceStatus;
  /** Claimable at once. */
  readonly dueNow: boolean;
  /** Claimable from then on; null when at once, never again, or only when something comes. */
  readonly wakeAt: number | null;
  readonly output: string | null;
  readonly error: string | null;
  readonly ended: boolean;
  /** Refused while the instance has attention. */
  readonly unlessAttention: boolean;
  /** Refused when a cancellation was requested. */
  readonly unlessCancelled: boolean;
}

export function settledState(settlement: Settlement): SettledState {
  const { instanceId } = settlement;
  const open = { output: null, error: null, ended: false, unlessAttention: false, unlessCancelled: false };
  switch (settlement.type) {
    case 'park':
      return {
        ...open,
        instanceId,
        status: settlement.status,
        dueNow: false,
        wakeAt: settlement.wakeAt,
        unlessAttention: true,
      };
    case 'release':
      return { ...open, instanceId, status: 'pending', dueNow: settlement.wakeAt === null, wakeAt: settlement.wakeAt };
    case 'stall':
      return { ...open, instanceId, status: 'stalled', dueNow: false, wakeAt: settlement.wakeAt, error: settlement.error };
    case 'finish':
      return {
        instanceId,
        status: settlement.status,
        dueNow: false,
        wakeAt: null,
        output: settlement.output,
        error: settlement.error,
        ended: true,
        unlessAttention: false,
        unlessCancelled: settlement.status !== 'cancelled',
      };
  }
}

/** The state in which an instance starts when nothing else is said in the same batch. */
export function startedState(instanceId: string, owned: boolean): SettledState {
  return {
    instanceId,
    status: owned ? 'running' : 'pending',
    dueNow: !owned,
    wakeAt: null,
    output: null,
    error: null,
    ended: false,
    unlessAttention: false,
    unlessCancelled: false,
  };
}
