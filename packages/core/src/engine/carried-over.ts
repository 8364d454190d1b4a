// What a part of an instance that recurs leaves to the next one.
import { childTopic } from '../domain/topic.js';
import type { StartedChild } from './context-host.js';
import type { Mailbox } from './mailbox.js';
import type { CarriedSubscriptions } from './subscriptions.js';

/** The first entry of the next part. Everything else stays with the instance by itself. */
export interface CarriedOver {
  readonly subscriptions: CarriedSubscriptions;
  /** Children of all parts that have not ended, as far as it is known: a later cancellation or failure cancels them. */
  readonly children: readonly StartedChild[];
}

/** How the children of an instance stand when a part of it ends. */
export interface ChildrenAtRecurrence {
  readonly open: readonly StartedChild[];
  /** The mail that tells of the ends of the others. No later part can ask for it: it goes with the recurrence. */
  readonly endedMailIds: readonly string[];
}

/**
 * Sorts out the children whose end is told by mail that the part did not take. Both the list and the mailbox would grow for ever with an instance
 * that recurs for ever, starts a child each time and asks for no result. What comes behind the reading is found by the next part.
 * @param read brings all mail into the mailbox that is there by now.
 */
export async function childrenAtRecurrence(
  children: readonly StartedChild[],
  { mailbox, read }: { readonly mailbox: Mailbox; readonly read: () => Promise<void> },
): Promise<ChildrenAtRecurrence> {
  if (children.length === 0) return { open: children, endedMailIds: [] };
  await read();
  const open: StartedChild[] = [];
  const endedMailIds: string[] = [];
  for (const child of children) {
    const topic = childTopic(child.instanceId);
    let isOpen = true;
    if (mailbox.mayHaveMore) await mailbox.search(topic);
    // More than one, where the id was taken and its owner has told of its end as well.
    for (let mail = mailbox.take(topic); mail !== undefined; mail = mailbox.take(topic)) {
      isOpen = false;
      endedMailIds.push(mail.mailId);
    }
    if (isOpen) open.push(child);
  }
  return { open, endedMailIds };
}
