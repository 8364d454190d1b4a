// Cases: an instance that compensates goes on wherever it is, after any death, from what was recorded.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, type Workflow } from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';
import { createDeeds, dieAt, readBy, undone as undoneOf, type Deeds } from './engine-saga-stage.js';

const me = { of: 'me' };
/** More commits than the instance takes. */
const manyCommits = 30;

export function sagaCrashCases(bench: EngineBench): void {
  describe('what is being undone', () => {
    it.for(['before', 'after'] as const)(
      'survives a death %s any commit: only the rest is done, by a process that never ran it',
      async (moment) => {
        const harness = await bench.harness();
        const deeds = createDeeds();
        const workflow = threeAndFail(deeds);
        const heir = await harness.app({ workflows: [workflow] });
        for (let count = 1; ; count++) {
          expect(count).toBeLessThan(manyCommits);
          deeds.done.splice(0);
          deeds.undone.splice(0);
          const app = await harness.app({ workflows: [workflow] });
          const isDead = dieAt(app, { count, moment });
          const instanceId = `${moment} ${count}`;
          void app.romancy.startWorkflow(workflow, undefined, { instanceId }).catch(() => undefined);
          await harness.until(async () => isDead() || (await heir.romancy.get(instanceId))?.status === 'failed');
          if (!isDead()) break;
          if ((await heir.romancy.get(instanceId)) === undefined) continue;
          const recorded = (await heir.romancy.history(instanceId)).map(({ kind, callId }) => `${kind} ${callId}`);
          const before = deeds.undone.length;
          await harness.bury(app, heir);
          const error = await harness.failure(heir.romancy.getHandle(instanceId).result());
          expect(error, instanceId).toMatchObject({ cause: { message: 'no' } });
          const rest = ['c', 'b', 'a'].filter((name) => !recorded.includes(`compensation_completed ${name}:1/compensate`));
          expect(deeds.undone.slice(before), `${instanceId}: ${recorded.join()}`).toEqual(undoneOf(...rest));
          const outcomes = (await heir.romancy.history(instanceId)).map(({ kind, callId }) => `${kind} ${callId}`);
          expect(outcomes).toEqual([
            ...['a', 'b', 'c'].map((name) => `activity_compensable ${name}:1`),
            'compensation_begun compensation',
            ...['c', 'b', 'a'].map((name) => `compensation_completed ${name}:1/compensate`),
          ]);
        }
        expect(deeds.undone).toEqual(undoneOf('c', 'b', 'a'));
      },
    );

    it.for([1, 2, 3, 4, 5])('goes on from a history that is read by pages of %i', async (page) => {
      const harness = await bench.harness();
      const deeds = createDeeds();
      const hanging = gate();
      const at = page % 2 === 0 ? 'b' : 'c';
      const hangs = threeAndFail(deeds, (name) => name === at && (hanging.open(), new Promise(() => undefined)));
      const first = await harness.app({ workflows: [hangs] });
      const { instanceId } = await first.romancy.startWorkflow(hangs);
      await harness.drive(hanging.opened);
      await harness.until(async () => (await first.romancy.history(instanceId)).length === (at === 'c' ? 4 : 5));
      first.crash();
      deeds.undone.splice(0);
      const second = harness.unstarted({ workflows: [threeAndFail(deeds)] });
      readBy(second, page);
      await harness.drive(second.romancy.start());
      await harness.bury(first, second);
      await harness.failure(second.romancy.getHandle(instanceId).result());
      expect(deeds.done).toEqual(['a', 'b', 'c']);
      expect(deeds.undone).toEqual(at === 'c' ? undoneOf('c', 'b', 'a') : undoneOf('b', 'a'));
    });

    it('is handed over by a process that stops, compensating all the while', async () => {
      const harness = await bench.harness();
      const deeds = createDeeds();
      const [begun, goOn] = [gate(), gate()];
      const workflow = threeAndFail(deeds, (name) => name === 'b' && (begun.open(), goOn.opened));
      const first = await harness.app({ workflows: [workflow] });
      const watching = await harness.app();
      const { instanceId } = await first.romancy.startWorkflow(workflow);
      await harness.drive(begun.opened);
      const stopped = first.romancy.stop();
      goOn.open();
      await harness.drive(stopped);
      const seen = await watching.romancy.get(instanceId);
      expect(seen?.workerId).toBeNull();
      // Where time is real, the one under way may end before the stop gets to its run: then others follow.
      if (harness.clock === undefined) expect(['compensating', 'failed']).toContain(seen?.status);
      else expect([seen?.status, deeds.undone]).toEqual(['compensating', undoneOf('c', 'b')]);
      const second = await harness.app({ workflows: [workflow] });
      await harness.failure(second.romancy.getHandle(instanceId).result());
      expect(deeds.undone).toEqual(undoneOf('c', 'b', 'a'));
    });

    it('has in it what came to its end in the moment in which the code failed', async () => {
      const harness = await bench.harness();
      const { undoable, undone, done } = createDeeds();
      const together = gate();
      const late = undoable('late', {
        doing: () => together.opened.then(muchLater),
        policy: { retry: { maxAttempts: 2, firstDelay: harness.span('1h', 60) } },
        undoing: ({ attempt }) => attempt > 1 || Promise.reject(new Error('once more')),
      });
      const fails = undoable('fails', {
        doing: () => together.opened.then(() => Promise.reject(new Error('no'))),
        retry: { maxAttempts: 1 },
      });
      const workflow = defineWorkflow('together', async (ctx) => {
        await ctx.run(undoable('a'), me);
        await Promise.all([
          ctx.run(fails, me),
          ctx.run(late, me).then(() => ctx.sleep(1)),
          ctx.run('inline', () => together.opened.then(muchLater)),
        ]);
      });
      const first = await harness.app({ workflows: [workflow] });
      const handle = await first.romancy.startWorkflow(workflow);
      await harness.until(() => done.length === 3);
      together.open();
      await harness.until(() => undone.length > 0);
      if (harness.clock !== undefined) await harness.untilStatus(first, handle.instanceId, 'compensating');
      await harness.drive(first.romancy.stop());
      const second = await harness.app({ workflows: [workflow] });
      await harness.leap('1h');
      const error = await harness.failure(second.romancy.getHandle(handle.instanceId).result());
      expect(error).toMatchObject({ cause: { message: 'no' } });
      expect(undone).toEqual(['late', 'late', 'a'].flatMap((name) => undoneOf(name)));
    });

    it('begins nothing that the code left open, wherever the instance goes on', async () => {
      const harness = await bench.harness();
      const deeds = createDeeds();
      const hanging = gate();
      const begun: string[] = [];
      const workflow = (hangs: boolean): Workflow<void, void> =>
        defineWorkflow('open', async (ctx) => {
          await ctx.run(deeds.undoable('a', { undoing: () => hangs && (hanging.open(), new Promise(() => undefined)) }), me);
          const failing = ctx.run('fails', () => Promise.reject(new Error('no')), { retry: { maxAttempts: 1 } });
          void failing.catch(async () => {
            await muchLater();
            void ctx.sleep('1h').catch(() => undefined);
            void ctx.waitEvent('never').catch(() => undefined);
            await ctx.run('more', () => void begun.push('more'));
          });
          await failing;
        });
      const hangs = workflow(true);
      const first = await harness.app({ workflows: [hangs] });
      const { instanceId } = await first.romancy.startWorkflow(hangs);
      await harness.drive(hanging.opened);
      first.crash();
      const second = await harness.app({ workflows: [workflow(false)] });
      await harness.bury(first, second);
      await harness.failure(second.romancy.getHandle(instanceId).result());
      expect((await second.romancy.history(instanceId)).map(({ kind }) => kind)).toEqual([
        'activity_compensable',
        'activity_failed',
        'compensation_begun',
        'compensation_completed',
      ]);
      expect(begun).toEqual([]);
    });
  });
}

/** Three that can be undone; `undoing` is called by each that undoes. */
function threeAndFail({ undoable }: Deeds, undoing: (name: string) => unknown = () => undefined): Workflow<void, void> {
  const activities = ['a', 'b', 'c'].map((name) => undoable(name, { undoing: () => undoing(name) }));
  return defineWorkflow('three', async (ctx) => {
    for (const activity of activities) await ctx.run(activity, me);
    throw new Error('no');
  });
}

/** Within this turn of the event loop, and after what else is ready in it. */
async function muchLater(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
