// Cases: groups of instances, and what is sent to them.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, type ActivityContext, type WorkflowContext } from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';

export function groupCases(bench: EngineBench): void {
  describe('a group', () => {
    it('has who joined, once, until he leaves or ends', async () => {
      const harness = await bench.harness();
      const member = defineWorkflow('member', async (ctx, leaves: boolean) => {
        await ctx.joinGroup('team');
        await ctx.joinGroup('team');
        await ctx.waitEvent('first');
        if (leaves) await ctx.leaveGroup('team');
        await ctx.waitEvent('second');
      });
      const app = await harness.app({ workflows: [member] });
      const start = (instanceId: string, leaves: boolean) => app.romancy.startWorkflow(member, leaves, { instanceId });
      const handles = [await start('stays', false), await start('leaves', true)];
      for (const { instanceId } of handles) await harness.untilStatus(app, instanceId, 'waiting_for_event');
      expect(await app.romancy.groupMembers('team')).toEqual(['leaves', 'stays']);
      await harness.drive(app.romancy.sendEvent({ type: 'first', source: 's' }));
      await harness.until(async () => (await app.romancy.groupMembers('team')).length === 1);
      expect(await app.romancy.groupMembers('team')).toEqual(['stays']);
      for (const { instanceId } of handles) {
        await harness.until(
          async () => (await app.romancy.history(instanceId)).filter(({ kind }) => kind === 'wait_set').length === 2,
        );
      }
      await harness.drive(app.romancy.sendEvent({ type: 'second', source: 's' }));
      for (const handle of handles) await harness.drive(handle.result());
      expect(await app.romancy.groupMembers('team')).toEqual([]);
    });

    it('gets what is published to it: each member once, and nobody else', async () => {
      const harness = await bench.harness();
      const member = defineWorkflow('member', async (ctx, joins: boolean) => {
        await ctx.subscribe('orders', 'direct');
        if (joins) await ctx.joinGroup('team');
        return (await ctx.receive('orders')).data;
      });
      const chief = defineWorkflow('chief', async (ctx) => {
        const members = await ctx.groupMembers('team');
        await ctx.sleep(harness.span('1h', 40));
        await ctx.publish('orders', 'go', { group: 'team' });
        return members;
      });
      const app = await harness.app({ workflows: [member, chief] });
      const handles = await Promise.all(
        [true, true, false].map((joins, index) => app.romancy.startWorkflow(member, joins, { instanceId: `member ${index}` })),
      );
      for (const { instanceId } of handles) await harness.untilStatus(app, instanceId, 'waiting_for_message');
      const chiefs = await app.romancy.startWorkflow(chief);
      expect(await harness.drive(chiefs.result(), '1h')).toEqual(['member 0', 'member 1']);
      expect(await harness.drive(handles[0]!.result())).toBe('go');
      expect(await harness.drive(handles[1]!.result())).toBe('go');
      expect(await harness.drive(app.romancy.publish('orders', 'nobody', { group: 'team' }))).toMatchObject({ receivers: 0 });
      await harness.drive(app.romancy.sendTo('member 2', 'orders', 'alone'));
      expect(await harness.drive(handles[2]!.result())).toBe('alone');
    });

    it('gets what a member sends, the sender included, and nothing that he sends before he joins or after he has left', async () => {
      const harness = await bench.harness();
      const member = defineWorkflow('member', async (ctx) => {
        await ctx.subscribe('orders', 'direct');
        await ctx.publish('orders', 'before', { group: 'team' });
        await ctx.joinGroup('team');
        await ctx.publish('orders', 'as a member', { group: 'team' });
        await ctx.leaveGroup('team');
        await ctx.publish('orders', 'after', { group: 'team' });
        return await receivedBySelf(ctx);
      });
      const app = await harness.app({ workflows: [member] });
      expect(await harness.drive((await app.romancy.startWorkflow(member)).result())).toEqual(['as a member', 'the last']);
    });

    it.for(['joins', 'leaves'] as const)(
      'brings nothing to who %s what was sent while he was no member, also where an activity with a transaction brings it along',
      async (move, context) => {
        const harness = await bench.harness();
        const rows = harness.rows(context);
        const member = defineWorkflow('member', async (ctx) => {
          await ctx.subscribe('orders', 'direct');
          if (move === 'leaves') await ctx.joinGroup('team');
          // Where there is one writer at a time, what the branch records waits for the transaction, and becomes durable with it.
          const [written, moved] = [gate(), gate()];
          const branch = async (): Promise<void> => {
            await written.opened;
            if (move === 'leaves') await ctx.leaveGroup('team');
            await ctx.publish('orders', 'no member', { group: 'team' });
            if (move === 'joins') await ctx.joinGroup('team');
            moved.open();
          };
          const write = async (activity: ActivityContext): Promise<void> => {
            await rows.write(activity, 'row', 'x');
            written.open();
            await moved.opened;
            await activity.publish('orders', 'from the activity', { group: 'team' });
          };
          await Promise.all([ctx.run('write', write), branch()]);
          return await receivedBySelf(ctx);
        });
        const app = await harness.app({ workflows: [member] });
        const expected = move === 'joins' ? ['from the activity', 'the last'] : ['the last'];
        expect(await harness.drive((await app.romancy.startWorkflow(member)).result())).toEqual(expected);
      },
    );
  });
}

/** All that has come to the instance on the channel, with 'the last', which it sends itself behind it. */
async function receivedBySelf(ctx: WorkflowContext): Promise<readonly unknown[]> {
  await ctx.sendTo(ctx.instanceId, 'orders', 'the last');
  const received: unknown[] = [];
  do received.push((await ctx.receive('orders')).data);
  while (received.at(-1) !== 'the last');
  return received;
}
