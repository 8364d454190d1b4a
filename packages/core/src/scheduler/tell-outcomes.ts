// Tells those who wait for a commit what became of their part of it.
import type { Wakeup } from '../domain/wakeup.js';
import type { ProgressResult } from '../ports/progress.js';
import { resumable, resumableMany, wakeupsOf, type CommitItem } from './commit-item.js';
import type { SeenMarks } from './seen-marks.js';

const none: ReadonlySet<string> = new Set();

/**
 * @param marks forget the runs whose settlement took effect.
 * @returns what others are to be told.
 */
export function tellOutcomes(
  items: readonly CommitItem[],
  result: Pick<ProgressResult, 'conflicts' | 'refused'>,
  marks: SeenMarks,
): Wakeup[] {
  const conflicts = setOf(result.conflicts);
  const refused = setOf(result.refused);
  const wakeups: Wakeup[] = [];
  for (const item of items) {
    switch (item.type) {
      case 'start': {
        const isNew = !conflicts.has(item.instance.instanceId);
        if (isNew && !item.instance.owned) wakeups.push(resumable(item.instance));
        item.outcome.resolve(isNew ? 'started' : 'conflict');
        break;
      }
      case 'starts': {
        const taken = new Set(item.instances.flatMap(({ instanceId }) => (conflicts.has(instanceId) ? [instanceId] : [])));
        const first = item.instances.find(({ instanceId }) => !taken.has(instanceId));
        if (first !== undefined) wakeups.push(resumableMany(first, item.instances.length - taken.size));
        item.outcome.resolve(taken);
        break;
      }
      case 'settlement': {
        const isDone = !refused.has(item.settlement.instanceId);
        if (isDone) {
          wakeups.push(...wakeupsOf(item));
          marks.left(item.settlement.instanceId);
        }
        item.outcome.resolve(isDone ? 'done' : 'refused');
        break;
      }
      case 'entry':
        if (item.extras !== undefined) wakeups.push(...wakeupsOf(item));
        item.outcome.resolve();
        break;
    }
  }
  return wakeups;
}

/** As a rule there is none. */
function setOf(ids: readonly string[]): ReadonlySet<string> {
  return ids.length === 0 ? none : new Set(ids);
}
