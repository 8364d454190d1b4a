// What a user's code is told when something happened to an instance, an event of the outbox, or the notifier.
import type { FinalStatus } from '../domain/instance.js';
import type { NotifierState } from './notifier.js';

/** What every hook is told. */
export interface HookEvent {
  readonly instanceId: string;
  readonly workflowName: string;
}

/** What the hooks of activities are told besides. */
export interface ActivityHookEvent extends HookEvent {
  readonly activityId: string;
  readonly activityName: string;
  /** From 1. */
  readonly attempt: number;
}

/** What the hooks of the outbox are told. */
export interface OutboxHookEvent {
  readonly eventId: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string | undefined;
  /** The last attempt, from 1. */
  readonly attempt: number;
}

/** A change of how the notifier does. */
export interface NotifierStateEvent {
  /** The state that counts for the pace of polling: the notifier's own, or `lossy` where the app finds that notes get lost. */
  readonly state: NotifierState;
  readonly previous: NotifierState;
  /** In words. */
  readonly reason: string;
}

/**
 * Called once per logical event, however often a run is replayed, by the process in which it happened, after it is durable (for
 * `onActivityStart`: before the attempt runs). A hook that throws or rejects is logged and changes nothing; none is waited for.
 * After a crash between the commit and the hook it is not called: hooks are for metrics and traces, not for effects.
 */
export interface Hooks {
  /** The first execution of an instance begins (not the continuations after a wait). */
  onWorkflowStart?(event: HookEvent): void | Promise<void>;
  /** The instance has ended. `error` is set when it failed. One that was cancelled before it began has an end and no start. */
  onWorkflowEnd?(event: HookEvent & { readonly status: FinalStatus; readonly error?: unknown }): void | Promise<void>;
  onActivityStart?(event: ActivityHookEvent): void | Promise<void>;
  /** One attempt ended well; its result is durable. */
  onActivityComplete?(event: ActivityHookEvent & { readonly durationMs: number }): void | Promise<void>;
  /** One attempt failed. `final`: no other attempt follows. */
  onActivityFail?(
    event: ActivityHookEvent & { readonly durationMs: number; readonly error: unknown; readonly final: boolean },
  ): void | Promise<void>;
  /** An event of the outbox was sent, and that is recorded. */
  onEventSent?(event: OutboxHookEvent & { readonly durationMs: number }): void | Promise<void>;
  /** An event of the outbox was given up: every attempt `failed`, or it is `invalid`. Not called for attempts that others follow. */
  onEventFailed?(
    event: OutboxHookEvent & { readonly durationMs: number; readonly error: unknown; readonly status: 'failed' | 'invalid' },
  ): void | Promise<void>;
  /** The notifier's effective state changed: once per change, also at the start and at the stop of the app. */
  onNotifierStateChange?(event: NotifierStateEvent): void | Promise<void>;
}
