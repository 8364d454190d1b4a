// Cases: a message out of a queue that comes with the answer to the commit that sought it.
import { describe, expect, it, type TestContext } from 'vitest';
import type { HandedMail, ProgressResult } from '../ports/index.js';
import { publish, stepOf, topic } from './message-stage.js';
import { queueStage } from './queue-stage.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import { park, type TestWorker } from './test-worker.js';

const seek = { type: 'seek', topic } as const;

export function queueAnswerCases(bench: Bench): void {
  describe('a message that comes with the answer to a commit', () => {
    it('needs no reading, one after the other, and the park behind the last is not refused for it', async (context) => {
      const { harness, worker } = await stage(context, ['m1', 'm2']);
      const first = await receive(worker);
      expect(first).toMatchObject({
        refused: ['a'],
        attention: [],
        handed: [{ instanceId: 'a', mail: { data: '"m1"', isQueued: true, topic } }],
      });
      const second = await receive(worker, first.handed![0]);
      expect(second).toMatchObject({ refused: ['a'], attention: [], handed: [{ mail: { data: '"m2"' } }] });
      expect(await receive(worker, second.handed![0])).toMatchObject({ refused: [], attention: [] });
      await publish(harness, 'm3');
      expect((await worker.claimOne('a')).mail).toMatchObject([{ data: '"m3"' }]);
    });

    it('is to be read when something else came before it', async (context) => {
      const { harness, worker } = await stage(context, ['m1', 'm2']);
      await harness.cancel('a', 'why not');
      expect(await receive(worker)).toMatchObject({ refused: ['a'], attention: ['a'], handed: [] });
      const [signals] = await worker.signals('a');
      expect(signals).toMatchObject({ cancel: { reason: 'why not' }, mail: [{ data: '"m1"' }] });
    });

    it.for(['a park', 'the next'])('hides nothing that came after it: %s', async (what, context) => {
      const { harness, worker } = await stage(context, what === 'a park' ? ['m1'] : ['m1', 'm2']);
      const first = await receive(worker);
      await publish(harness, 'direct', { topic: 'channel:direct', to: { type: 'instance', instanceId: 'a' } });
      const second = await receive(worker, first.handed![0]);
      expect(second.refused).toEqual(['a']);
      expect(second.handed ?? []).toEqual([]);
      expect(second.attention).toEqual(what === 'a park' ? [] : ['a']);
      const [signals] = await worker.signals('a');
      expect(signals!.mail.map(({ data }) => data)).toContain('"direct"');
    });

    it('is read after the answer was lost, and the commit is sent again', async (context) => {
      const { worker } = await stage(context, ['m1']);
      const batch = { ...stepOf('a', [seek]), settlements: [park('a')] };
      expect((await worker.commit(batch)).handed).toHaveLength(1);
      const again = await worker.commit(batch);
      expect(again).toMatchObject({ refused: ['a'], attention: [] });
      expect(again.handed ?? []).toEqual([]);
      expect((await worker.signals('a'))[0]!.mail).toMatchObject([{ data: '"m1"' }]);
    });
  });

  /** An instance that has not sought yet, and what is queued for it. */
  async function stage(
    context: TestContext,
    queued: readonly string[],
  ): Promise<{ readonly harness: StorageHarness; readonly worker: TestWorker }> {
    const { harness, worker } = await queueStage(bench, ['a', 'other']);
    await publish(harness, 'for the other');
    const { attention, handed = [] } = await worker.commit(stepOf('other', [seek]));
    expect([...attention, ...handed.map(({ instanceId }) => instanceId)]).toEqual(['other']);
    if (handed.length === 0) context.skip('this storage leaves all mail to be read');
    for (const data of queued) await publish(harness, data);
    return { harness, worker };
  }
}

/** Takes what it has, seeks the next, and wants to park. */
function receive(worker: TestWorker, last?: HandedMail): Promise<ProgressResult> {
  return worker.commit({
    ...stepOf('a', [seek]),
    takenMail: last === undefined ? [] : [{ instanceId: 'a', mailId: last.mail.mailId }],
    settlements: [park('a')],
    seen: last === undefined ? [] : [last],
  });
}
