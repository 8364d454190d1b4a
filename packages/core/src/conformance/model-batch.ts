// Makes of a random commit a batch that an engine could make: it records and settles only what its worker owns, or starts in it.
import type { NewInstance, ProgressBatch, Settlement, Storage } from '../ports/index.js';
import type { ModelSettlement, ModelStep, When } from './model-commands.js';
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
}

export async function makeModelBatch(steps: readonly ModelStep[], parts: ModelBatchParts): Promise<ProgressBatch> {
  const made = await Promise.all(steps.map((step) => makePart(step, parts)));
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
  return {
    starts,
    entries: Array.from({ length: step.entries }, (_, index) => ({
      instanceId,
      seq: first + index,
      kind: 'timer_set',
      callId: `sleep:${first + index}`,
      position: first + index,
      data: null,
      dueAt: index === 0 ? now + hour : null,
    })),
    effects: [],
    subscriptions: step.subscribe === null ? [] : [{ instanceId, topic }],
    takenMail: taken === undefined ? [] : [{ instanceId, mailId: taken.mailId }],
    settlements:
      step.settlement === null ? [] : [makeSettlement({ instanceId, claim: claimOf(instanceId) }, step.settlement, now)],
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

function makeSettlement(run: Pick<Settlement, 'instanceId' | 'claim'>, wanted: ModelSettlement, now: number): Settlement {
  switch (wanted.type) {
    case 'park':
      return { type: 'park', ...run, status: wanted.status, wakeAt: time(wanted.wake, now) };
    case 'release':
      return { type: 'release', ...run, wakeAt: time(wanted.wake, now) };
    case 'stall':
      return { type: 'stall', ...run, wakeAt: time(wanted.wake, now) ?? now, error: '"stalled"' };
    case 'finish': {
      const output = wanted.status === 'completed' ? '"output"' : null;
      return { type: 'finish', ...run, status: wanted.status, output, error: wanted.status === 'failed' ? '"error"' : null };
    }
  }
}

function time(when: When, now: number): number | null {
  return when === 'never' ? null : when === 'past' ? now - 1000 : now + hour;
}
