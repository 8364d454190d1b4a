// Finds who is subscribed to a topic and takes a message.
import type { WriteScope } from './write-scope.js';
import { fittingValue, noFilter } from './topic-filter.js';

/** Who sends: an instance gets nothing of its own by subscriptions that come with a later entry. */
export interface MessageSender {
  /** The number of the instance inside of the database. */
  readonly id: number;
  /** The number of the entry by which it sends. */
  readonly seq: number;
}

interface SubscriptionRow {
  readonly id: number;
  readonly seq: number;
}

/**
 * The numbers of the instances, each once. Of many that wait for different values of one place in the message, the index finds those that
 * wait for this one; the places that subscriptions of a topic compare are few, and each is one look more.
 */
export function findSubscribers(
  { connection, tables }: WriteScope,
  { topic, data, sender }: { readonly topic: string; readonly data: string; readonly sender: MessageSender | undefined },
): readonly number[] {
  const nextPath = `SELECT path FROM ${tables.subscriptions} WHERE topic = ? AND path > ? ORDER BY path LIMIT 1`;
  const fitting = `SELECT id, seq FROM ${tables.subscriptions} WHERE topic = ? AND path = ? AND value = ?`;
  const found = new Set<number>();
  const add = (path: string, value: string): void => {
    for (const { id, seq } of connection.all<SubscriptionRow>(fitting, topic, path, value)) {
      if (id !== sender?.id || seq < sender.seq) found.add(id);
    }
  };
  add(noFilter.path, noFilter.value);
  let root: unknown;
  let path = connection.get<{ readonly path: string }>(nextPath, topic, noFilter.path)?.path;
  if (path !== undefined) root = JSON.parse(data);
  while (path !== undefined) {
    const value = fittingValue(root, path);
    if (value !== undefined) add(path, value);
    path = connection.get<{ readonly path: string }>(nextPath, topic, path)?.path;
  }
  return [...found];
}
