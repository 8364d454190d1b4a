// Which messages to a group may share a commit with the sender's own joining and leaving.
import type { Effect } from '../ports/effect.js';

/**
 * Within a commit joins come before all messages, and leaves behind them (see {@link Effect}). So what an instance sends to a group before it joins, or
 * after it has left, would come back to it if both were in one commit.
 */
export class MembershipOrder {
  /** Instance and group. */
  readonly #sent = new Set<string>();
  readonly #left = new Set<string>();

  /** Takes the effects of the next entry; false: the entry must wait for the next commit, and is not taken. */
  keeps(effects: readonly Effect[]): boolean {
    for (const effect of effects) {
      if (effect.type === 'join') {
        if (this.#sent.has(keyOf(effect.instanceId, effect.group))) return false;
        this.#left.delete(keyOf(effect.instanceId, effect.group));
      } else if (effect.type === 'leave') this.#left.add(keyOf(effect.instanceId, effect.group));
      else if (effect.type === 'message' && effect.message.to.type === 'group') {
        const key = keyOf(effect.instanceId, effect.message.to.group);
        if (this.#left.has(key)) return false;
        this.#sent.add(key);
      }
    }
    return true;
  }
}

/** Neither can have a line break. */
function keyOf(instanceId: string, group: string): string {
  return `${instanceId}\n${group}`;
}
