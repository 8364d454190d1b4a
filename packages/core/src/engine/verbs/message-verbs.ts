// The verbs of a workflow's context by which it talks to others: channels, groups, the outbox.
import type { OutboxEventInput, PublishOptions, ReceiveOptions, SendOptions } from '../../authoring/messaging.js';
import { checkSchema, validate } from '../../authoring/standard-schema.js';
import { channelModes, type ChannelMode, type ReceivedMessage } from '../../domain/channel.js';
import { timeLimitMs } from '../../domain/duration.js';
import { ChannelModeConflictError, InvalidArgumentError, NotSubscribedError } from '../../domain/errors.js';
import { checkName } from '../../domain/ids.js';
import { checkKnownOptions, namesOf } from '../../domain/known-options.js';
import { channelTopic } from '../../domain/topic.js';
import type { ContextHost } from '../context-host.js';
import { encodeError } from '../encode-error.js';
import { refuseInsideActivity } from '../nested-calls.js';
import { handled } from '../handled.js';
import { AskingCall } from '../operations/asking-call.js';
import { MailWaitCall } from '../operations/mail-wait-call.js';
import { checkPublish, checkSendTo, makeMessage, makeOutboxEvent, type MessageOrder } from '../outgoing.js';

const receiveNames = namesOf<ReceiveOptions<unknown>>({ timeout: true, schema: true });

export function publish(
  run: ContextHost,
  channel: string,
  given: readonly [unknown, PublishOptions | undefined],
): Promise<string> {
  refuseInsideActivity('publish');
  const order = checkPublish(channel, given[0], given[1]);
  return send(run, order, { name: 'publish', verb: 'publish', kind: 'published' });
}

export function sendTo(
  run: ContextHost,
  to: { readonly instanceId: string; readonly channel: string },
  given: readonly [unknown, SendOptions | undefined],
): Promise<string> {
  refuseInsideActivity('sendTo');
  const order = checkSendTo(to, given[0], given[1]);
  return send(run, order, { name: 'sendTo', verb: 'send to', kind: 'sent_to' });
}

function send(
  run: ContextHost,
  order: Omit<MessageOrder, 'sender'>,
  call: { readonly name: string; readonly verb: 'publish' | 'send to'; readonly kind: 'published' | 'sent_to' },
): Promise<string> {
  // Before the call counts as made, and in a replay too: one that is refused, and caught, must be none on every run.
  const message = makeMessage({ ...order, sender: run.instanceId }, run.services);
  const id = run.atOnce({
    ...call,
    make: () => ({ value: message.messageId, extras: { effects: [{ type: 'message', message }] } }),
  });
  return run.given(id as string);
}

export function sendEvent(run: ContextHost, event: OutboxEventInput): Promise<string> {
  refuseInsideActivity('sendEvent');
  // Before the call counts as made, as a message.
  const made = makeOutboxEvent(event, run.services);
  const id = run.atOnce({
    name: 'sendEvent',
    verb: 'send event',
    kind: 'event_sent',
    make: () => ({ value: made.eventId, extras: { effects: [{ type: 'event', event: made }] } }),
  });
  return run.given(id as string);
}

export function joinGroup(run: ContextHost, group: string): Promise<void> {
  return changeGroup(run, group, 'join');
}

export function leaveGroup(run: ContextHost, group: string): Promise<void> {
  return changeGroup(run, group, 'leave');
}

function changeGroup(run: ContextHost, group: string, type: 'join' | 'leave'): Promise<void> {
  refuseInsideActivity(`${type}Group`);
  checkName(group, 'group');
  run.atOnce({
    name: `${type}Group`,
    verb: type === 'join' ? 'join group' : 'leave group',
    kind: type === 'join' ? 'group_joined' : 'group_left',
    make: () => ({ value: group, extras: { effects: [{ type, group }] } }),
  });
  return run.given(undefined);
}

export function groupMembers(run: ContextHost, group: string): Promise<readonly string[]> {
  refuseInsideActivity('groupMembers');
  checkName(group, 'group');
  const { position, id } = run.nextCall('groupMembers');
  const { reader, codec } = run.services;
  const call = new AskingCall<readonly string[]>(run, {
    position,
    id,
    verb: 'members of group',
    ask: async () => {
      // It may have joined itself a moment ago.
      await run.durable();
      return { kind: 'members_read', data: codec.encode(await reader.members(group)) };
    },
    accept: (_kind, members) => members as readonly string[],
  });
  run.open(call);
  return call.promise;
}

export function subscribe(run: ContextHost, channel: string, mode: ChannelMode = 'broadcast'): Promise<void> {
  refuseInsideActivity('subscribe');
  checkName(channel, 'channel');
  if (!channelModes.includes(mode)) {
    throw new InvalidArgumentError(
      `ctx.subscribe(channel, mode): mode is ${JSON.stringify(mode)}; it takes ${channelModes.join(', ')}`,
      {
        argument: 'mode',
      },
    );
  }
  const { position, id } = run.nextCall('subscribe');
  const { reader, codec } = run.services;
  const topic = channelTopic(channel);
  const call = new AskingCall<void>(run, {
    position,
    id,
    verb: 'subscribe',
    ask: async () => {
      // An end of the subscription before comes into effect first.
      if (run.subscriptions.isUnsettled(topic)) await run.durable();
      const actual = await reader.fixMode(topic, mode);
      if (actual !== mode) {
        const conflict = new ChannelModeConflictError({ channel, mode: actual, requested: mode });
        return { kind: 'subscribe_refused', data: encodeError(conflict, 'the error of subscribe', run.services) };
      }
      return { kind: 'subscribed', data: codec.encode({ channel, mode }), extras: { subscription: { topic, mode } } };
    },
    accept: (kind, data) => {
      if (kind === 'subscribe_refused') throw data as Error;
      run.subscriptions.add({ topic, mode });
    },
  });
  run.open(call);
  return call.promise;
}

export function unsubscribe(run: ContextHost, channel: string): Promise<void> {
  refuseInsideActivity('unsubscribe');
  checkName(channel, 'channel');
  const topic = channelTopic(channel);
  run.atOnce({
    name: 'unsubscribe',
    verb: 'unsubscribe',
    kind: 'unsubscribed',
    make: () => {
      run.subscriptions.unsettle(topic);
      return { value: channel, extras: { effects: [{ type: 'unsubscribe', topic }] } };
    },
  });
  run.subscriptions.remove(topic);
  return run.given(undefined);
}

export function receive<TData>(
  run: ContextHost,
  channel: string,
  options: ReceiveOptions<TData> = {},
): Promise<ReceivedMessage<TData>> {
  refuseInsideActivity('receive');
  checkName(channel, 'channel');
  checkKnownOptions(options, receiveNames, 'ctx.receive: options');
  const { schema, timeout } = options;
  checkSchema(schema, 'ctx.receive: schema');
  const timeoutMs = timeout === undefined ? null : timeLimitMs(timeout, 'ctx.receive: timeout');
  const topic = channelTopic(channel);
  const mode = run.subscriptions.modeOf(topic);
  if (mode === undefined) return handled(Promise.reject(new NotSubscribedError({ instanceId: run.instanceId, channel })));
  const { position, id } = run.nextCall('receive');
  const call = new MailWaitCall<ReceivedMessage<TData>>(run, {
    position,
    id,
    verb: 'receive',
    topic,
    name: channel,
    status: 'waiting_for_message',
    kinds: { set: 'receive_set', received: 'message_received', timedOut: 'receive_timed_out' },
    timeoutMs,
    seeks: mode === 'competing',
    accept: (received) => {
      const message = received as ReceivedMessage<TData>;
      if (schema === undefined) return message;
      return validate(schema, message.data, `data of a message of channel ${channel}`).then((data) => ({ ...message, data }));
    },
  });
  run.open(call);
  return call.promise;
}
