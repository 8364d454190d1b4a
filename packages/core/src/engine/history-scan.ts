// Looks through a history for what a cancellation has to know, without running the code.
import type { HistoryEntry } from '../domain/history.js';
import type { Codec } from '../ports/codec.js';
import type { ClaimedRun } from '../ports/claim.js';
import type { CarriedOver } from './carried-over.js';
import type { StartedChild } from './context-host.js';
import type { RunReader } from './run-services.js';

export interface ScannedHistory {
  /** Something was completed that can be undone, or is being undone already. */
  readonly hasToUndo: boolean;
  /** Children that have not ended, as far as history knows. */
  readonly openChildren: readonly StartedChild[];
}

export async function scanHistory(
  claimed: ClaimedRun,
  { reader, codec }: { readonly reader: RunReader; readonly codec: Codec },
): Promise<ScannedHistory> {
  const children = new Map<string, StartedChild>();
  const ended = new Set<string>();
  let page: readonly HistoryEntry[] = claimed.history;
  let isLast = claimed.historyComplete;
  for (;;) {
    for (const { kind, data } of page) {
      if (kind === 'activity_compensable' || kind === 'compensation_begun') return { hasToUndo: true, openChildren: [] };
      if (kind === 'carried_over') {
        for (const child of (codec.decode(data!) as CarriedOver).children) children.set(child.instanceId, child);
      } else if (kind === 'child_started') {
        const child = codec.decode(data!) as StartedChild;
        children.set(child.instanceId, child);
      } else if (kind === 'child_ended') ended.add((codec.decode(data!) as { readonly instanceId: string }).instanceId);
    }
    if (isLast) break;
    page = await reader.history(claimed.instanceId, page.at(-1)?.seq ?? claimed.historyStart);
    isLast = page.length === 0;
  }
  return { hasToUndo: false, openChildren: [...children.values()].filter(({ instanceId }) => !ended.has(instanceId)) };
}
