// Makes of a random commit a batch that an engine could make: it records and settles only what its worker owns, or starts in it.
import type {
  Effect,
  NewInstance,
  NewSubscription,
  OutgoingMessage,
  ProgressBatch,
  Recipient,
  Settlement,
  Storage,
} from '../ports/index.js';
import {
  modelEvents,
  modelModes,
  type ModelEffect,
  type ModelRecipient,
  type ModelSettlement,
  type ModelStep,
  type When,
} from './model-commands.js';
import type { ModelNames } from './model-names.js';

const hour = 3_600_000;

export interface ModelBatchParts {
  readonly storage: Storage;
  readonly names: ModelNames;
  readonly workerId: string;
  readonly now: number;
  /** The number of an instance's latest claim; 1 when it is about to be started. */
  readonly claimOf: (instanceId: string) => number;
  /** A token that no start has had before. */
  readonly nextToken: () => string;
  /** A number that no message has had before. */
  readonly nextMessage: () => number;
}

export async function makeModelBatch(steps: readonly ModelStep[], parts: ModelBatchParts): Promise<ProgressBatch> {
  const made: Omit<ProgressBatch, 'workerId'>[] = [];
  // One after the other, so that both sides number their messages alike.
  for (const step of unambiguous(steps)) made.push(await makePart(step, parts));
  return {
    workerId: parts.workerId,
    starts: made.flatMap((part) => part.starts),
    entries: made.flatMap((part) => part.entries),
    effects: made.flatMap((part) => part.effects),
    subscriptions: made.flatMap((part) => part.subscriptions),
    takenMail: made.flatMap((part) => part.takenMail),
    settlements: made.flatMap((part) => part.settlements),
  };
}

/**
 * Leaves out what the port does not order: in one batch two that seek on one topic, and two that give something back to a queue.
 */
function unambiguous(steps: readonly ModelStep[]): readonly ModelStep[] {
  let seeks = 0;
  let gives = 0;
  return steps.map((step) => {
    const { effect, settlement } = step;
    const isOver = effect?.type === 'unsubscribe' || settlement?.type === 'finish' || settlement?.type === 'recur';
    const isSecond = (effect?.type === 'seek' && seeks++ > 0) || (isOver && gives++ > 0);
    return isSecond ? { ...step, effect: null, settlement: null } : step;
  });
}

async function makePart(step: ModelStep, parts: ModelBatchParts): Promise<Omit<ProgressBatch, 'workerId'>> {
  const { storage, names, now, claimOf } = parts;
  const instanceId = names.instance(step.instance);
  const record = await storage.instances.get(instanceId);
  const starts = step.start === 'no' ? [] : [newInstance(step, parts)];
  // With a start that will be refused goes nothing else of that instance: an engine goes on only when its start is granted.
  const holds = record === undefined ? step.start === 'owned' : step.start === 'no' && record.owner === parts.workerId;
  if (!holds) return { starts, entries: [], effects: [], subscriptions: [], takenMail: [], settlements: [] };

  const history = await storage.runs.history({ instanceId, afterSeq: 0, limit: 1000 });
  const first = (history.at(-1)?.seq ?? 0) + 1;
  const topic = names.topic(step.subscribe ?? 0);
  const mail = await storage.runs.mail({ instanceId, topic, afterMailId: null, limit: 1000 });
  const taken = step.take === null ? undefined : mail[step.take];
  const count = Math.max(step.entries, step.effect === null ? 0 : 1);
  const run = { instanceId, claim: claimOf(instanceId), seq: first + count };
  return {
    starts,
    entries: Array.from({ length: count }, (_, index) => ({
      instanceId,
      seq: first + index,
      kind: 'timer_set',
      callId: `sleep:${first + index}`,
      position: first + index,
      data: null,
      dueAt: index === 0 ? now + hour : null,
    })),
    effects: step.effect === null ? [] : [makeEffect(step.effect, { instanceId, seq: first }, parts)],
    subscriptions: step.subscribe === null ? [] : [subscriptionTo(instanceId, step.subscribe, names)],
    takenMail: taken === undefined ? [] : [{ instanceId, mailId: taken.mailId }],
    settlements: step.settlement === null ? [] : [makeSettlement(run, step.settlement, parts)],
  };
}

function newInstance(step: ModelStep, { names, nextToken }: ModelBatchParts): NewInstance {
  return {
    instanceId: names.instance(step.instance),
    workflowName: names.workflow(step.instance % 2),
    input: `${step.instance}`,
    startToken: nextToken(),
    owned: step.start === 'owned',
  };
}

function subscriptionTo(instanceId: string, index: number, names: ModelNames): NewSubscription {
  const mode = modelModes[index - modelEvents];
  return { instanceId, topic: names.topic(index), ...(mode === undefined ? {} : { mode }) };
}

function makeEffect(
  wanted: ModelEffect,
  entry: Pick<Effect, 'instanceId' | 'seq'>,
  { names, nextMessage }: ModelBatchParts,
): Effect {
  switch (wanted.type) {
    case 'publish':
      return { type: 'message', ...entry, message: makeModelMessage(wanted, names, nextMessage()) };
    case 'seek':
    case 'unseek':
    case 'unsubscribe':
      return { type: wanted.type, ...entry, topic: names.topic(wanted.topic) };
    case 'join':
    case 'leave':
      return { type: wanted.type, ...entry, group: names.group };
    case 'event': {
      const eventId = names.outgoing(wanted.event);
      const stream = names.stream(wanted.event % 2);
      return { type: 'event', ...entry, event: { eventId, stream, type: 't', source: names.source, data: `${entry.seq}` } };
    }
  }
}

export function makeModelMessage(
  { topic, to }: { readonly topic: number; readonly to: ModelRecipient },
  names: ModelNames,
  count: number,
): OutgoingMessage {
  const recipient: Recipient =
    to === 'subscribers'
      ? { type: 'subscribers' }
      : to === 'group'
        ? { type: 'group', group: names.group }
        : { type: 'instance', instanceId: names.instance(to) };
  return { messageId: names.message(count), topic: names.topic(topic), data: `${count}`, to: recipient };
}

function makeSettlement(
  { seq, ...run }: Pick<Settlement, 'instanceId' | 'claim'> & { readonly seq: number },
  wanted: ModelSettlement,
  { names, now }: ModelBatchParts,
): Settlement {
  switch (wanted.type) {
    case 'park':
      return { type: 'park', ...run, status: wanted.status, wakeAt: time(wanted.wake, now) };
    case 'release':
      return { type: 'release', ...run, wakeAt: time(wanted.wake, now) };
    case 'stall':
      return { type: 'stall', ...run, wakeAt: time(wanted.wake, now) ?? now, error: '"stalled"' };
    case 'recur':
      return {
        type: 'recur',
        ...run,
        archiveId: names.archive(run.instanceId, run.claim),
        input: `"${seq}"`,
        carried: { instanceId: run.instanceId, seq, kind: 'carried_over', callId: 'recur', position: 0, data: '[]', dueAt: null },
        keep: wanted.keep.map((index) => ({ topic: names.topic(index) })),
        owned: wanted.owned,
      };
    case 'finish': {
      const output = wanted.status === 'completed' ? '"output"' : null;
      return { type: 'finish', ...run, status: wanted.status, output, error: wanted.status === 'failed' ? '"error"' : null };
    }
  }
}

function time(when: When, now: number): number | null {
  return when === 'never' ? null : when === 'past' ? now - 1000 : now + hour;
}
