// The random calls of the model test, as plain data that can be shrunk and shown.
import fc from 'fast-check';
import type { ChannelMode, EndStatus, WaitingStatus } from '../ports/index.js';

/** When something is due, without saying a time: two storages may have clocks of their own. */
export type When = 'never' | 'past' | 'later';

export type ModelSettlement =
  | { readonly type: 'park'; readonly status: WaitingStatus; readonly wake: When }
  | { readonly type: 'release'; readonly wake: When }
  | { readonly type: 'stall'; readonly wake: When }
  | { readonly type: 'finish'; readonly status: EndStatus }
  | { readonly type: 'recur'; readonly owned: boolean; readonly keep: readonly number[] };

/** What an entry brings about. */
export type ModelEffect =
  | { readonly type: 'publish'; readonly topic: number; readonly to: ModelRecipient }
  | { readonly type: 'seek' | 'unseek' | 'unsubscribe'; readonly topic: number }
  | { readonly type: 'join' | 'leave' }
  | { readonly type: 'event'; readonly event: number };

/** A number: that instance. */
export type ModelRecipient = 'subscribers' | 'group' | number;

/** What one batch does to one instance; what the worker may not do to it is left out when it is carried out. */
export interface ModelStep {
  readonly instance: number;
  readonly start: 'no' | 'owned' | 'free';
  /** So many new entries. */
  readonly entries: number;
  readonly effect: ModelEffect | null;
  readonly subscribe: number | null;
  /** Takes the so-manieth piece of the mail. */
  readonly take: number | null;
  readonly settlement: ModelSettlement | null;
}

/** What a relayer says of all that it got; `nothing`: it keeps it. */
export type ModelRelayResult = 'sent' | 'retry' | 'failed' | 'release' | 'nothing';

export type ModelCommand =
  | { readonly call: 'register'; readonly worker: number; readonly workflows: readonly number[] }
  | { readonly call: 'heartbeat' | 'retire' | 'expire' | 'repeat'; readonly worker: number }
  | { readonly call: 'commit'; readonly worker: number; readonly steps: readonly ModelStep[] }
  | {
      readonly call: 'claim';
      readonly worker: number;
      readonly workflows: readonly number[];
      readonly nothing: boolean;
      readonly historyLimit: number;
      readonly mailLimit: number;
      /** Asks again for what an earlier claim has given. */
      readonly lost: boolean;
    }
  | { readonly call: 'readSignals'; readonly worker: number; readonly instances: readonly number[]; readonly mailLimit: number }
  | { readonly call: 'deliver'; readonly event: number; readonly topic: number; readonly target: number | null }
  | { readonly call: 'publish'; readonly topic: number; readonly to: ModelRecipient }
  | { readonly call: 'relay'; readonly worker: number; readonly result: ModelRelayResult }
  | { readonly call: 'cancel'; readonly instance: number; readonly reason: string | null };

export const modelWorkers = 3;
export const modelInstances = 3;
export const modelEvents = 2;
/** Channels, after the events. */
export const modelModes: readonly ChannelMode[] = ['broadcast', 'competing'];
export const modelTopics = modelEvents + modelModes.length;
/** Events for the outbox. */
export const modelOutgoing = 6;
export const modelWorkflows = 2;

const upTo = (count: number) => fc.nat({ max: count - 1 });
const worker = upTo(modelWorkers);
const instance = upTo(modelInstances);
const when = fc.constantFrom<When>('never', 'past', 'later');
const workflows = fc.oneof({ weight: 3, arbitrary: fc.constant([0, 1]) }, fc.uniqueArray(upTo(modelWorkflows), { maxLength: 2 }));

const settlement: fc.Arbitrary<ModelSettlement> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('park' as const),
      status: fc.constantFrom<WaitingStatus>('waiting_for_event', 'waiting_for_timer', 'waiting_for_retry'),
      wake: when,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('release' as const), wake: when }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('stall' as const), wake: fc.constantFrom<When>('past', 'later') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('recur' as const),
      owned: fc.boolean(),
      keep: fc.uniqueArray(upTo(modelTopics), { maxLength: modelTopics }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('finish' as const),
      status: fc.constantFrom<EndStatus>('completed', 'failed', 'cancelled'),
    }),
  },
);

const channel = fc.nat({ max: modelModes.length - 1 }).map((index) => modelEvents + index);
const recipient: fc.Arbitrary<ModelRecipient> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('subscribers' as const) },
  { weight: 1, arbitrary: fc.constant('group' as const) },
  { weight: 1, arbitrary: instance },
);
const competing = fc.constant(modelTopics - 1);

const effect: fc.Arbitrary<ModelEffect> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('publish' as const), topic: channel, to: recipient }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('seek' as const), topic: competing }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('unseek' as const), topic: competing }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('unsubscribe' as const), topic: upTo(modelTopics) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('join' as const, 'leave' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('event' as const), event: upTo(modelOutgoing) }) },
);

const step: fc.Arbitrary<ModelStep> = fc.record({
  instance,
  start: fc.constantFrom('no' as const, 'no' as const, 'no' as const, 'owned' as const, 'free' as const),
  entries: fc.nat({ max: 2 }),
  effect: fc.option(effect, { nil: null }),
  subscribe: fc.option(upTo(modelTopics), { nil: null }),
  take: fc.option(fc.nat({ max: 2 }), { nil: null }),
  settlement: fc.option(settlement, { nil: null }),
});

/** One call, the likelier the more it does. */
export const modelCommand: fc.Arbitrary<ModelCommand> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      call: fc.constant('commit' as const),
      worker,
      steps: fc.uniqueArray(step, { maxLength: 3, selector: (one) => one.instance }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      call: fc.constant('claim' as const),
      worker,
      workflows,
      nothing: fc.boolean(),
      historyLimit: fc.nat({ max: 3 }),
      mailLimit: fc.nat({ max: 3 }),
      lost: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      call: fc.constant('deliver' as const),
      event: fc.nat({ max: 9 }),
      topic: upTo(modelEvents),
      target: fc.option(instance, { nil: null }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant('readSignals' as const),
      worker,
      instances: fc.oneof(fc.constant([0, 1, 2]), fc.uniqueArray(instance, { maxLength: modelInstances })),
      mailLimit: fc.nat({ max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ call: fc.constant('publish' as const), topic: channel, to: recipient }) },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant('relay' as const),
      worker,
      result: fc.constantFrom<ModelRelayResult>('sent', 'retry', 'failed', 'release', 'nothing'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant('cancel' as const),
      instance,
      reason: fc.constantFrom(null, 'a reason'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('register' as const), worker, workflows }) },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constantFrom('heartbeat' as const, 'retire' as const, 'expire' as const, 'repeat' as const, 'repeat' as const),
      worker,
    }),
  },
);
