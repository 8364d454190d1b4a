// What this process does at once about that which it has just committed itself.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { NotifierLink } from './notifier-link.js';
import type { WorkFinder } from './work-finder.js';
import type { WorkerSession } from './worker-session.js';

export interface OwnWakeupsParts {
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly finder: WorkFinder;
  /** Null: there is no notifier. */
  readonly link: NotifierLink | null;
  /** Null: not joined. */
  readonly session: () => WorkerSession | null;
}

/** However many wake-ups come at a time, they cause one claim at most. */
export class OwnWakeups {
  readonly #parts: OwnWakeupsParts;

  constructor(parts: OwnWakeupsParts) {
    this.#parts = parts;
  }

  actOn(wakeups: readonly Wakeup[]): void {
    const { workflows, finder, link } = this.#parts;
    const session = this.#parts.session();
    let claim = false;
    const attended = (instanceId: string): boolean => {
      if (session?.isHere(instanceId) !== true) return false;
      session.attend([instanceId]);
      return true;
    };
    for (const wakeup of wakeups) {
      switch (wakeup.kind) {
        case 'timer_expired':
          finder.dueAt(wakeup.expiresAt);
          break;
        case 'workflow_resumable':
          link?.announced(wakeup.instanceId);
          if (wakeup.more !== undefined) link?.announcedToAll();
          if (!attended(wakeup.instanceId) && workflows.has(wakeup.workflowName)) claim = true;
          break;
        case 'channel_message':
          if (wakeup.targetInstanceId === null) {
            link?.announcedToAll();
            claim = true;
          } else {
            link?.announced(wakeup.targetInstanceId);
            if (!attended(wakeup.targetInstanceId)) claim = true;
          }
          break;
        case 'outbox_pending':
        case 'workflow_finished':
        case 'workflow_claimed':
        case 'worker_busy':
          // Not for those who look for work: the watcher of results hears of ends, the relayer of events.
          break;
      }
    }
    if (claim) finder.request('told');
  }
}
