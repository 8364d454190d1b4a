// `@romancy/core`: what users write workflows with, and run them with.
export type { ActivityContext } from './authoring/activity-context.js';
export {
  defineActivity,
  type Activity,
  type ActivityFunction,
  type ActivityOptions,
  type Compensation,
  type CompensationFunction,
} from './authoring/define-activity.js';
export {
  defineWorkflow,
  type AnyWorkflow,
  type Workflow,
  type WorkflowFunction,
  type WorkflowOptions,
} from './authoring/define-workflow.js';
export type {
  ChildHandle,
  ChildOptions,
  ChildWorkflow,
  EventMatch,
  OutboxEventInput,
  PublishOptions,
  ReceiveOptions,
  SendOptions,
  Sender,
} from './authoring/messaging.js';
export type { StandardSchema } from './authoring/standard-schema.js';
export type { RunOptions, WaitEventOptions, WorkflowContext } from './authoring/workflow-context.js';
export type { AppState } from './app/app-life.js';
export type { StartManyOptions, StartOptions, WorkflowStart } from './app/call-arguments.js';
export { createJsonCodec } from './app/json-codec.js';
export type { InstanceView } from './app/instance-view.js';
export type { ListOptions } from './app/list-query.js';
export type { RomancyOptions } from './app/options.js';
export { Romancy, type InstancePage, type RomancyStatus, type StartResult } from './app/romancy.js';
export type { NotifierView } from './scheduler/notifier-watch.js';
export { silentLogger } from './app/silent-logger.js';
export type { ResultOptions, WorkflowHandle } from './app/workflow-handle.js';
export type {
  AppOutbox,
  OutboxEventView,
  OutboxListOptions,
  OutboxPage,
  OutboxPurgeOptions,
  OutboxRequeueOptions,
} from './app/app-outbox.js';
export type { OutboxOptions } from './app/outbox-options.js';
export type { RetentionOptions } from './app/retention-options.js';
export type { OutboxView } from './scheduler/outbox-relayer.js';
export type { EventReceipt, MessageReceipt } from './app/app-messages.js';
export type { HistoryOptions, HistoryView } from './app/history-view.js';
export type { ChannelMode, MessageMetadata, ReceivedMessage } from './domain/channel.js';
export type { OutboxStatus, OutgoingEvent } from './domain/outbox.js';
export type { CloudEventInput, ReceivedEvent } from './domain/cloud-event.js';
export type { Duration } from './domain/duration.js';
export * from './domain/errors.js';
export type { FinalStatus, InstanceStatus, WaitingStatus } from './domain/instance.js';
export type { RetryOptions } from './domain/retry-policy.js';
export type { Clock } from './ports/clock.js';
export type { Codec } from './ports/codec.js';
export type { Entropy } from './ports/entropy.js';
export type { ActivityHookEvent, HookEvent, Hooks, NotifierStateEvent, OutboxHookEvent } from './ports/hooks.js';
export type { Logger, LogFields } from './ports/logger.js';
export type { Notifier, NotifierState, NotifierStatus } from './ports/notifier.js';
export type { SendAttempt, SendEvent } from './ports/send-event.js';
export type { Storage } from './ports/storage.js';
