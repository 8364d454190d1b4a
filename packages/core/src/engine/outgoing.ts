// Makes what is sent of what a user gave: checked, with an id and a time, written down.
import type { OutboxEventInput, PublishOptions, SendOptions } from '../authoring/messaging.js';
import type { MessageMetadata, ReceivedMessage } from '../domain/channel.js';
import { InvalidArgumentError } from '../domain/errors.js';
import { checkName, longestName } from '../domain/ids.js';
import { checkKnownOptions, namesOf } from '../domain/known-options.js';
import { outboxStream } from '../domain/outbox.js';
import { channelTopic } from '../domain/topic.js';
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';
import type { OutgoingMessage, Recipient } from '../ports/message-store.js';
import type { NewOutboxEvent } from '../ports/outbox-store.js';
import { toReceivedEvent } from './event-input.js';
import { encodePayload, type PayloadLimits } from './payload.js';

/** What making needs. */
export interface OutgoingParts extends PayloadLimits {
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** A message before it is made. */
export interface MessageOrder {
  readonly channel: string;
  readonly data: unknown;
  readonly to: Recipient;
  readonly metadata: MessageMetadata | undefined;
  /** The instance that sends it; undefined: from outside. */
  readonly sender: string | undefined;
}

const noOptions: PublishOptions = Object.freeze({});
const publishNames = namesOf<PublishOptions>({ metadata: true, group: true });
const sendNames = namesOf<SendOptions>({ metadata: true });

/** @throws InvalidArgumentError, ConfigurationError */
export function checkPublish(channel: string, data: unknown, options: PublishOptions = noOptions): Omit<MessageOrder, 'sender'> {
  checkName(channel, 'channel');
  checkKnownOptions(options, publishNames, 'publish: options');
  const { group, metadata } = options;
  if (group !== undefined) checkName(group, 'group');
  checkMetadata(metadata);
  return { channel, data, metadata, to: group === undefined ? { type: 'subscribers' } : { type: 'group', group } };
}

/** @throws InvalidArgumentError, ConfigurationError */
export function checkSendTo(
  { instanceId, channel }: { readonly instanceId: string; readonly channel: string },
  data: unknown,
  options: SendOptions = noOptions,
): Omit<MessageOrder, 'sender'> {
  checkName(instanceId, 'instanceId');
  checkName(channel, 'channel');
  checkKnownOptions(options, sendNames, 'sendTo: options');
  checkMetadata(options.metadata);
  return { channel, data, metadata: options.metadata, to: { type: 'instance', instanceId } };
}

/** @throws PayloadTooLargeError, PayloadNotSerializableError */
export function makeMessage(order: MessageOrder, parts: OutgoingParts): OutgoingMessage {
  const { channel, data, to, metadata, sender } = order;
  const messageId = parts.entropy.uuid();
  const message: ReceivedMessage = {
    id: messageId,
    channel,
    data,
    metadata: { ...metadata },
    sender,
    time: new Date(parts.clock.now()),
  };
  return { messageId, topic: channelTopic(channel), data: encodePayload(message, `message to channel ${channel}`, parts), to };
}

/** @throws InvalidArgumentError, PayloadTooLargeError, PayloadNotSerializableError */
export function makeOutboxEvent(input: OutboxEventInput, parts: OutgoingParts): NewOutboxEvent {
  const event = toReceivedEvent(input, parts);
  if ('instanceId' in input && input.instanceId !== undefined) {
    throw new InvalidArgumentError(
      `event instanceId: an event of the outbox leaves for other systems; ctx.sendTo reaches an instance, and so does sendEvent of the app`,
      { argument: 'instanceId' },
    );
  }
  const { id, type, source, subject } = event;
  if (subject !== undefined && subject.length > longestName) {
    throw new InvalidArgumentError(
      `event subject has ${subject.length} characters; one that is sent takes up to ${longestName}`,
      {
        argument: 'subject',
      },
    );
  }
  return { eventId: id, stream: outboxStream(event), type, source, data: encodePayload(event, `event ${type}`, parts) };
}

function checkMetadata(metadata: unknown): void {
  if (metadata === undefined) return;
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  const wrong = isObject
    ? Object.entries(metadata).find(([, value]) => !['string', 'number', 'boolean'].includes(typeof value))?.[0]
    : '';
  if (wrong === undefined) return;
  throw new InvalidArgumentError(
    `metadata${wrong === '' ? '' : `.${wrong}`} takes ${wrong === '' ? `an object such as { priority: 3 }` : 'a text, a number or a boolean'}`,
    { argument: 'metadata' },
  );
}
