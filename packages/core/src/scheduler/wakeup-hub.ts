// Where wake-ups, ends and other news of this process meet those who act on them.
import { EventEmitter } from 'eventemitter3';
import type { Wakeup } from '../domain/wakeup.js';
import type { FinishedInstance } from '../ports/instance-store.js';

export interface HubEvents {
  /** Hints of work, and where they come from: what this process has just committed, or a note of (as a rule) another. */
  wakeups: (wakeups: readonly Wakeup[], from: 'here' | 'elsewhere') => void;
  /** An instance ended here. */
  finished: (instance: FinishedInstance) => void;
  /** A run of this instance left this process without an end. */
  left: (instanceId: string) => void;
  /** Something was heard of for an instance, and no run was here, or none any more, that could have read it. */
  missed: () => void;
  /** A place for a run became free. */
  room: () => void;
  /** There was no run here, or no event to send, now there is one. */
  busy: () => void;
}

/** One per app. */
export class WakeupHub extends EventEmitter<HubEvents> {}
