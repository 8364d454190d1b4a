// How the end of a child is told to its parent, and what the parent's code gets of it.
import { InstanceConflictError, WorkflowCancelledError, WorkflowFailedError } from '../domain/errors.js';
import { childTopic } from '../domain/topic.js';
import type { OutgoingMessage } from '../ports/message-store.js';
import type { RunOutcome } from './run-outcome.js';
import type { RunServices } from './run-services.js';

/** What is in the parent's mail. */
export type ChildEnd = { readonly instanceId: string } & (
  | { readonly status: 'completed'; readonly output: unknown }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'cancelled'; readonly reason: string | null }
  /** The id of the child belongs to another start. */
  | { readonly status: 'conflict' }
);

/** The mail for the parent. */
export function childEndMessage(
  { instanceId, parentId }: { readonly instanceId: string; readonly parentId: string },
  { outcome, reason }: { readonly outcome: RunOutcome; readonly reason: string | null },
  services: RunServices,
): OutgoingMessage {
  const { codec, entropy } = services;
  const end: ChildEnd =
    outcome.status === 'completed'
      ? { instanceId, status: 'completed', output: codec.decode(outcome.output!) }
      : outcome.status === 'failed'
        ? { instanceId, status: 'failed', error: codec.decode(outcome.error!) }
        : { instanceId, status: 'cancelled', reason };
  return {
    messageId: entropy.uuid(),
    topic: childTopic(instanceId),
    data: codec.encode(end),
    to: { type: 'instance', instanceId: parentId },
  };
}

/** What the parent's code gets: the output, or an error that is thrown. */
export function outputOfChild(end: ChildEnd): unknown {
  const { instanceId } = end;
  switch (end.status) {
    case 'completed':
      return end.output;
    case 'failed':
      throw new WorkflowFailedError({ instanceId, cause: end.error });
    case 'cancelled':
      throw new WorkflowCancelledError({ instanceId, reason: end.reason });
    case 'conflict':
      throw new InstanceConflictError({ instanceId, isChild: true });
  }
}
