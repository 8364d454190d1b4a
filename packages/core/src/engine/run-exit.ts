// How a run leaves its process: the settlement on its way, and the end that comes of it.
import { LeaseLostError, NotRunningError } from '../domain/errors.js';
import type { WaitingStatus } from '../domain/instance.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { ClaimedRun } from '../ports/claim.js';
import type { CancelOrder } from '../ports/effect.js';
import type { Settlement } from '../ports/settlement.js';
import { archiveIdOf } from './archive-id.js';
import type { CarriedOver, ChildrenAtRecurrence } from './carried-over.js';
import { childEndMessage } from './child-end.js';
import type { StartedChild } from './context-host.js';
import { encodeError } from './encode-error.js';
import type { RunEnd } from './run-end.js';
import type { RunOutcome } from './run-outcome.js';
import type { RunRecorder } from './run-recorder.js';
import type { RunServices } from './run-services.js';
import type { CarriedSubscriptions } from './subscriptions.js';

/** What goes with an end. */
export interface EndExtras {
  /** Of a cancellation. */
  readonly reason: string | null;
  /** Children that are cancelled with it. */
  readonly children: readonly StartedChild[];
  /** JSON text: the compensations that failed for good; undefined: none. */
  readonly compensationFailures: string | undefined;
}

/** What an instance begins anew with. */
export interface Recurrence {
  /** JSON text. */
  readonly input: string;
  readonly generation: number;
  readonly createdAt: number;
  readonly subscriptions: CarriedSubscriptions;
  /** Asked when nothing more is handed out. */
  readonly children: () => Promise<ChildrenAtRecurrence>;
  /** Whether the next part runs here at once. */
  readonly isOwned: () => boolean;
}

export interface RunExitParts {
  readonly instanceId: string;
  readonly workflowName: string;
  /** The claim that every settlement of this run ends. */
  readonly claim: number;
  /** Who is told of the end; null: nobody. */
  readonly parentId: string | null;
  readonly services: RunServices;
  readonly recorder: RunRecorder;
  /**
   * Nothing more will be handed out: abandon what is open, and end its transactions, whose locks the settlement may need. The error is
   * made for those only: its stack is dear, and most runs end with nothing open.
   */
  onClose(why: () => Error): void;
  /** Resolves when no reading of what came from outside is under way. Never rejects. */
  readingOver(): Promise<void>;
  /** Resolves when no transaction of an activity is being committed. Never rejects. */
  commitOver(): Promise<void>;
  /** The run is over. */
  onEnd(): void;
}

/**
 * open → parking → (open again, when something came in meanwhile) | ended;
 * open → closing → (open again, when the end was refused because of a cancellation) | ended. Nothing leaves `ended`.
 */
export class RunExit {
  readonly #parts: RunExitParts;
  #phase: 'open' | 'parking' | 'closing' | 'ended' = 'open';
  #end: RunEnd | null = null;

  constructor(parts: RunExitParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  get isParking(): boolean {
    return this.#phase === 'parking';
  }

  /** A settlement other than a park is on its way, or done. */
  get isClosed(): boolean {
    return this.#phase === 'closing' || this.#phase === 'ended';
  }

  get end(): RunEnd | null {
    return this.#end;
  }

  /**
   * Puts the instance away. What the code still records meanwhile is held back.
   * @returns false when something came in meanwhile: the run goes on as if it had never asked, and reads what came.
   */
  async park(wait: {
    readonly status: WaitingStatus;
    readonly next: { readonly timerId: string; readonly dueAt: number } | null;
  }): Promise<boolean> {
    const { instanceId, claim, services, recorder } = this.#parts;
    const { status, next } = wait;
    const wakeAt = next?.dueAt ?? null;
    this.#phase = 'parking';
    recorder.hold();
    const outcome = await services.progress.settle(
      { type: 'park', instanceId, claim, status, wakeAt },
      next === null ? [] : [{ kind: 'timer_expired', instanceId, timerId: next.timerId, expiresAt: next.dueAt }],
    );
    if (outcome === 'done') {
      this.#finish({ type: 'parked', wakeAt });
      return true;
    }
    // Dropped while it waited for the answer: then nothing goes on.
    if (this.#phase === 'parking') {
      this.#phase = 'open';
      recorder.letGo();
    }
    return false;
  }

  /** Hands the instance back, claimable at once. */
  async release(): Promise<void> {
    const { instanceId, workflowName, claim, services } = this.#parts;
    this.#close(() => new NotRunningError('this process hands over its runs'));
    await services.progress.settle({ type: 'release', instanceId, claim, wakeAt: null }, [
      { kind: 'workflow_resumable', instanceId, workflowName },
    ]);
    this.#finish({ type: 'released', wakeAt: null });
  }

  /**
   * Ends the instance.
   * @returns false when a cancellation came first: the instance must end as cancelled.
   */
  finish(outcome: RunOutcome, extras: EndExtras): Promise<boolean> {
    const { instanceId, services } = this.#parts;
    this.#close(() => new NotRunningError(`instance ${JSON.stringify(instanceId)} has ended`));
    const wakeups: Wakeup[] = [{ kind: 'workflow_finished', instanceId }];
    for (const child of extras.children) wakeups.push({ kind: 'workflow_resumable', ...child });
    return services.progress
      .settle(this.#settlementOf(outcome, extras), wakeups)
      .then((answer) => answer === 'done' && this.#finished(outcome, extras.reason));
  }

  #settlementOf(outcome: RunOutcome, { reason, children, compensationFailures }: EndExtras): Settlement {
    const { instanceId, claim, parentId, services } = this.#parts;
    const { status, output, error } = outcome;
    const ends = { type: 'finish', instanceId, claim, status, output, error } as const;
    if (parentId === null && children.length === 0 && compensationFailures === undefined) return ends;
    return {
      ...ends,
      messages: parentId === null ? [] : [childEndMessage({ instanceId, parentId }, { outcome, reason }, services)],
      cancels: cancelOrders(children, { parentId: instanceId, reason }),
      ...(compensationFailures === undefined ? {} : { compensationFailures }),
    };
  }

  #finished({ status, output, error }: RunOutcome, reason: string | null): true {
    const { instanceId, workflowName, services } = this.#parts;
    const cancelReason = status === 'cancelled' ? reason : null;
    this.#finish({ type: 'finished', finished: { instanceId, status, output, error, cancelReason, continuedAs: null } });
    if (services.hooks.has('onWorkflowEnd')) {
      const event = { instanceId, workflowName, status };
      services.hooks.call('onWorkflowEnd', error === null ? event : { ...event, error: services.codec.decode(error) });
    }
    return true;
  }

  /**
   * Ends this part of the instance; the next one begins.
   * @returns false when a cancellation came first: the instance must end as cancelled.
   */
  async recur({ input, generation, createdAt, subscriptions, children, isOwned }: Recurrence): Promise<boolean> {
    const { instanceId, workflowName, claim, parentId, services, recorder } = this.#parts;
    this.#close(() => new NotRunningError(`this part of instance ${JSON.stringify(instanceId)} has ended`));
    const { open, endedMailIds } = await children();
    // Dropped meanwhile.
    if (this.#end !== null) return true;
    const owned = isOwned();
    const data = services.codec.encode({ subscriptions, children: open } satisfies CarriedOver);
    const first = recorder.number({ position: -1, id: 'recur', kind: 'carried_over', data, dueAt: null });
    const answer = await services.progress.settle(
      {
        type: 'recur',
        instanceId,
        claim,
        archiveId: archiveIdOf(instanceId, generation + 1),
        input,
        carried: first,
        keep: subscriptions,
        owned,
      },
      owned ? [] : [{ kind: 'workflow_resumable', instanceId, workflowName }],
      endedMailIds,
    );
    if (answer === 'refused') return false;
    const next: ClaimedRun = {
      instanceId,
      workflowName,
      input,
      createdAt,
      claim: claim + 1,
      parentId,
      generation: generation + 1,
      isInputChecked: true,
      historyStart: first.seq - 1,
      history: [first],
      historyComplete: true,
      cancel: null,
      mail: [],
    };
    this.#finish({ type: 'recurred', next: owned ? next : null });
    return true;
  }

  /** The code does not fit its history, or the run cannot go on: keep all as it is, say so on the instance, let somebody else try. Never rejects. */
  async stall(error: Error): Promise<void> {
    const { instanceId, workflowName, claim, services } = this.#parts;
    if (this.isClosed) return;
    this.#close(() => error);
    // Behind the settlement the instance is anybody's, and a reading is not to keep its run here: its worker would take it for its own.
    await this.#parts.readingOver();
    // Nor is one who has it by then to do again what is being committed.
    await this.#parts.commitOver();
    if (this.#end !== null) return;
    try {
      const wakeAt = services.storageTime.ahead() + services.stallRetryMs;
      const text = encodeError(error, `the error of workflow ${workflowName}`, services);
      await services.progress.settle({ type: 'stall', instanceId, claim, wakeAt, error: text });
      this.#finish({ type: 'stalled', error });
    } catch (refusal) {
      this.drop(refusal as Error);
    }
  }

  /** The end was refused: the instance is still this run's. */
  reopen(): void {
    if (this.#phase !== 'closing') return;
    this.#phase = 'open';
    this.#parts.recorder.letGo();
  }

  /** Forgets the instance now; nothing of it is recorded any more. */
  drop(reason: Error): void {
    this.#close(() => reason);
    this.#finish({ type: 'dropped', reason });
  }

  /** The run cannot go on. Without its lease it is forgotten; anything else is a fault that must be seen on the instance. Never rejects. */
  async breakOff(error: Error): Promise<void> {
    if (this.#phase === 'ended') return;
    if (error instanceof LeaseLostError || error instanceof NotRunningError) {
      this.drop(error);
      return;
    }
    this.#phase = 'open';
    await this.stall(error);
  }

  #close(why: () => Error): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'closing';
    this.#parts.recorder.close();
    this.#parts.onClose(why);
  }

  /** The first end counts. */
  #finish(end: RunEnd): void {
    if (this.#end !== null) return;
    this.#phase = 'ended';
    this.#end = end;
    this.#parts.recorder.close();
    this.#parts.onEnd();
  }
}

/** What is asked of children when their parent ends before they do. */
export function cancelOrders(
  children: readonly StartedChild[],
  { parentId, reason }: { readonly parentId: string; readonly reason: string | null },
): readonly CancelOrder[] {
  return children.map(({ instanceId }) => ({ instanceId, reason: reason ?? 'its parent has ended', childOf: parentId }));
}
