// Notes that differ in one text only: what is the same in all of them is written down once, and they are joined in one go.
import type { NoteKind } from './channel-names.js';
import { isSharing, sharedPayloads } from './shared-note.js';

/** Notes of one kind. */
export interface Bundle {
  readonly kind: NoteKind;
  /** Whose instances can be resumed: `texts` are their ids, plain ones as the name is. Null: `texts` are payloads. */
  readonly workflowName: string | null;
  /** Each once. Of a kind that shares notes: ids, which are no notes yet. */
  readonly texts: Set<string>;
}

/** The payloads of its notes. */
export function payloadsOf({ kind, workflowName, texts }: Bundle): readonly string[] {
  if (isSharing(kind)) return sharedPayloads([...texts]);
  return workflowName === null ? [...texts] : Array.from(texts, (id) => resumablePayload(workflowName, id));
}

/** As `encodeWakeup` writes it, where both are plain. */
export function resumablePayload(workflowName: string, id: string): string {
  return beginning + id + endOf(workflowName);
}

/** What a server makes payloads of: texts, one a line, and what stands before and behind each. To write it into all of them would cost more. */
export interface Lines {
  readonly head: string;
  readonly tail: string;
  /** None has a line break: JSON writes it otherwise, and plain ids have none. */
  readonly texts: string;
  readonly count: number;
}

export function linesOf(bundle: Bundle): Lines {
  const { workflowName, texts } = bundle;
  if (workflowName !== null) {
    return { head: beginning, tail: endOf(workflowName), texts: [...texts].join('\n'), count: texts.size };
  }
  const payloads = payloadsOf(bundle);
  return { head: '', tail: '', texts: payloads.join('\n'), count: payloads.length };
}

const beginning = '{"instance_id":"';
const endOf = (workflowName: string): string => `","workflow_name":"${workflowName}"}`;
