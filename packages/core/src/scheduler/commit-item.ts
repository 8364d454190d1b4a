// What waits to be committed, and how much of it goes into one commit.
import type { NewHistoryEntry } from '../domain/history.js';
import type { Wakeup } from '../domain/wakeup.js';
import { MembershipOrder } from '../engine/membership-order.js';
import { wakeupsOfEffects, withoutUndone, type EntryExtras } from '../engine/entry-extras.js';
import type { Commitment } from '../engine/progress.js';
import { messageWakeup } from '../ports/message-store.js';
import type { Effect } from '../ports/effect.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { ProgressBatch } from '../ports/progress.js';
import type { Settlement } from '../ports/settlement.js';
import type { NewSubscription } from '../ports/subscription.js';

/** One thing to commit, in the order in which it was given. */
export type CommitItem =
  | { readonly type: 'start'; readonly instance: NewInstance; readonly outcome: Outcome<'started' | 'conflict'> }
  /** Of one workflow, with different ids, owned by nobody: all in one commit. */
  | { readonly type: 'starts'; readonly instances: readonly NewInstance[]; readonly outcome: Outcome<ReadonlySet<string>> }
  | {
      readonly type: 'entry';
      readonly entry: NewHistoryEntry;
      readonly extras: EntryExtras | undefined;
      readonly outcome: Outcome<void>;
    }
  | {
      readonly type: 'settlement';
      readonly settlement: Settlement;
      readonly wakeups: readonly Wakeup[];
      readonly takenMailIds: readonly string[];
      /** Up to where its run knew what happened to it when it decided on this; undefined: by no mail that it was handed. */
      readonly seen: string | undefined;
      readonly outcome: Outcome<'done' | 'refused'>;
    };

/** A promise that is made only when somebody asks for it: most entries are never waited for one by one. */
export class Outcome<T> implements Commitment {
  #state: 'open' | 'resolved' | 'rejected' = 'open';
  #value: T | undefined;
  #error: unknown;
  #resolve: ((value: T) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #promise: Promise<T> | undefined;

  get durable(): boolean {
    return this.#state === 'resolved';
  }

  get promise(): Promise<T> {
    this.#promise ??= this.#make();
    return this.#promise;
  }

  get done(): Promise<void> {
    return this.promise as Promise<void>;
  }

  resolve(value: T): void {
    this.#state = 'resolved';
    this.#value = value;
    this.#resolve?.(value);
    // Those who asked have it, and whoever asks from here on gets a promise of what is known. A run keeps this until its next step.
    this.#resolve = this.#reject = this.#promise = undefined;
  }

  reject(error: unknown): void {
    this.#state = 'rejected';
    this.#error = error;
    if (this.#promise !== undefined) this.#tell(this.#promise);
  }

  #make(): Promise<T> {
    if (this.#state === 'resolved') return Promise.resolve(this.#value as T);
    const promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (this.#state === 'rejected') this.#tell(promise);
    return promise;
  }

  /** Whoever cares has a handler of his own; a run that was dropped meanwhile does not. */
  #tell(promise: Promise<T>): void {
    promise.catch(ignore);
    this.#reject!(this.#error);
  }
}

const mostRows = 5000;
const mostCharacters = 8_000_000;

/**
 * How many items from the front of the queue go into one commit; at least one. A bound on the size of a statement, one start per id, so that
 * the answer can name by its id which start was refused, and nothing for which the order of the effects of one commit would be wrong.
 */
export function fittingCount(queue: readonly CommitItem[]): number {
  let characters = 0;
  let rows = 0;
  // A single item fits, whatever it is: most commits of a worker that is not busy are one.
  if (queue.length <= 1) return queue.length;
  const started = new Set<string>();
  let memberships: MembershipOrder | null = null;
  const most = Math.min(queue.length, mostRows);
  for (let count = 0; count < most; count++) {
    const item = queue[count]!;
    characters += characterCount(item);
    rows += item.type === 'starts' ? item.instances.length : 1;
    if ((characters > mostCharacters || rows > mostRows) && count > 0) return count;
    if (item.type === 'starts') {
      if (started.size > 0 && item.instances.some(({ instanceId }) => started.has(instanceId))) return count;
      for (const { instanceId } of item.instances) started.add(instanceId);
      continue;
    }
    if (item.type === 'entry' && item.extras !== undefined && item.extras.effects.length > 0) {
      memberships ??= new MembershipOrder();
      if (!memberships.keeps(item.extras.effects) && count > 0) return count;
    }
    const start = item.type === 'start' ? item.instance : item.type === 'entry' ? item.extras?.start : undefined;
    if (start === undefined) continue;
    if (started.has(start.instanceId)) return count;
    started.add(start.instanceId);
  }
  return most;
}

/** The instance that an item belongs to; many starts belong to none, under a name that no instance has. */
export function instanceOf(item: CommitItem): string {
  switch (item.type) {
    case 'start':
      return item.instance.instanceId;
    case 'starts':
      return `\nstarts of ${item.instances[0]!.instanceId}`;
    case 'entry':
      return item.entry.instanceId;
    case 'settlement':
      return item.settlement.instanceId;
  }
}

/** The items of each instance, in their order. */
export function byInstance(items: readonly CommitItem[]): CommitItem[][] {
  const groups = new Map<string, CommitItem[]>();
  for (const item of items) {
    const group = groups.get(instanceOf(item));
    if (group === undefined) groups.set(instanceOf(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** What a start that nobody owns comes to. */
export function resumable({ instanceId, workflowName }: NewInstance): Wakeup {
  return { kind: 'workflow_resumable', instanceId, workflowName };
}

/** What many such starts come to: one hint for all. `count` of them, the first of which is given. */
export function resumableMany({ instanceId, workflowName }: NewInstance, count: number): Wakeup {
  const first = { kind: 'workflow_resumable', instanceId, workflowName } as const;
  return count > 1 ? { ...first, more: count - 1 } : first;
}

/** The items as the storage takes them. */
export function toBatch(workerId: string, items: readonly CommitItem[]): ProgressBatch {
  const batch = {
    workerId,
    starts: [] as NewInstance[],
    entries: [] as NewHistoryEntry[],
    effects: noEffects,
    subscriptions: [] as NewSubscription[],
    takenMail: [] as { instanceId: string; mailId: string }[],
    settlements: [] as Settlement[],
    wakeups: [] as Wakeup[],
  };
  let effects: Effect[] | null = null;
  for (const item of items) {
    switch (item.type) {
      case 'start':
        batch.starts.push(item.instance);
        if (!item.instance.owned) batch.wakeups.push(resumable(item.instance));
        break;
      case 'starts':
        for (const instance of item.instances) batch.starts.push(instance);
        batch.wakeups.push(resumableMany(item.instances[0]!, item.instances.length));
        break;
      case 'entry':
        batch.entries.push(item.entry);
        if (item.extras !== undefined) {
          const { takenMailId, subscription, start } = item.extras;
          if (takenMailId !== undefined) batch.takenMail.push({ instanceId: item.entry.instanceId, mailId: takenMailId });
          if (subscription !== undefined) batch.subscriptions.push(subscription);
          if (start !== undefined) batch.starts.push(start);
          if (item.extras.effects.length > 0) (effects ??= []).push(...item.extras.effects);
          batch.wakeups.push(...wakeupsOf(item));
        }
        break;
      case 'settlement':
        batch.settlements.push(item.settlement);
        for (const mailId of item.takenMailIds) batch.takenMail.push({ instanceId: item.settlement.instanceId, mailId });
        batch.wakeups.push(...wakeupsOf(item));
        break;
    }
  }
  if (effects !== null) batch.effects = withoutUndone(effects);
  return batch;
}

const noEffects: readonly Effect[] = [];
const noWakeups: readonly Wakeup[] = [];

/** What others are told once an entry or a settlement is committed. */
export function wakeupsOf(item: CommitItem): readonly Wakeup[] {
  if (item.type === 'entry') {
    if (item.extras === undefined) return noWakeups;
    const { effects, start, wakeups } = item.extras;
    if (effects.length === 0 && start === undefined) return wakeups;
    return [...wakeupsOfEffects(effects), ...(start === undefined ? [] : [resumable(start)]), ...wakeups];
  }
  if (item.type === 'settlement') {
    const { settlement, wakeups } = item;
    if (settlement.type !== 'finish' || settlement.messages === undefined) return wakeups;
    return [...wakeups, ...settlement.messages.map(messageWakeup)];
  }
  return noWakeups;
}

function characterCount(item: CommitItem): number {
  switch (item.type) {
    case 'start':
      return item.instance.input.length;
    case 'starts':
      return item.instances.reduce((sum, { input }) => sum + input.length, 0);
    case 'entry':
      return (item.entry.data?.length ?? 0) + (item.extras === undefined ? 0 : extraCharacterCount(item.extras));
    case 'settlement':
      return settlementCharacterCount(item.settlement);
  }
}

function extraCharacterCount({ effects, start }: EntryExtras): number {
  let count = start?.input.length ?? 0;
  for (const effect of effects) {
    if (effect.type === 'message') count += effect.message.data.length;
    else if (effect.type === 'event') count += effect.event.data.length;
  }
  return count;
}

function settlementCharacterCount(settlement: Settlement): number {
  if (settlement.type === 'recur') return settlement.input.length;
  return settlement.type === 'finish' ? (settlement.output?.length ?? 0) + (settlement.error?.length ?? 0) : 0;
}

function ignore(): void {
  // Told to whoever asked; the promise that is left over is nobody's.
}
