// What a start asks for.
import type { OutgoingMessage } from './message-store.js';

/** A new instance. */
export interface NewInstance {
  readonly instanceId: string;
  readonly workflowName: string;
  /** JSON text made by the codec. */
  readonly input: string;
  /**
   * Unique to this call of start, so that a repeated commit knows its own instance from somebody else's. The id itself where that was made for this
   * start: nobody else has it then, and a storage need not expect a conflict.
   */
  readonly startToken: string;
  /** True: the committing worker owns it at once, status `running`. False: status `pending`, claimable by anybody. */
  readonly owned: boolean;
  /** Who started it from within a workflow, and gets mail under the topic of the child (`childTopic`) when it ends. Default: nobody. */
  readonly parent?: {
    readonly instanceId: string;
    /** The parent's mail in place of that when the start is refused as a conflict; left out while the parent has mail with this id. */
    readonly conflict: Pick<OutgoingMessage, 'messageId' | 'data'>;
  };
}
