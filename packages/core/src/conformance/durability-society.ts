// A workflow that talks to itself by every verb, begins anew, fails, and has undone what it did; and what it comes to, whatever is killed.
import { defineActivity, defineWorkflow, type ActivityContext, type AnyWorkflow, type RetryOptions } from '../index.js';
import type { Effects } from './durability-effects.js';

/** The event that an instance of it asks for. */
export const societyEvents: readonly string[] = ['answer'];
/** What its compensations write in transactions of their own; the rows have the same names. */
export const societyRows: readonly string[] = ['second/compensate', 'third/compensate'];
/** The events that it puts into the outbox, in order. */
export const societyOutbox: readonly string[] = ['said', 'done'];

const atOnce: RetryOptions = { maxAttempts: 3, firstDelay: 5, factor: 1, jitter: false };

/** What its first part hands to the second. */
const firstPart = {
  heard: ['to all', 'to one', 'to me', 'to us', 'done'],
  members: 1,
  answer: { to: 'society' },
  child: ['grown', 7],
  conflict: 'CHANNEL_MODE_CONFLICT',
};

/** What every instance of it fails with. */
export const societyFailure = `Error: ${JSON.stringify({ ...firstPart, left: 'left over', more: 'WAIT_TIMEOUT' })}`;

/** The workflow of its child, by its own name. */
export function mouseName(name: string): string {
  return name.replace('society', 'mouse');
}

/** Grows up by beginning anew. */
export function mouseWorkflow(name: string, effects: Effects): AnyWorkflow {
  return defineWorkflow(
    name,
    async (ctx, { part, value }: { readonly part: number; readonly value: number }): Promise<unknown> => {
      await ctx.run(`grow-${part}`, (activity) => effects.note(activity));
      await ctx.sleep(5);
      return part === 2 ? ['grown', value] : await ctx.recur({ part: part + 1, value });
    },
  );
}

export function societyWorkflow(name: string, effects: Effects): AnyWorkflow {
  const undoable = (call: string, doing: (ctx: ActivityContext) => Promise<void> = () => Promise.resolve()) =>
    defineActivity(
      call,
      async (ctx) => {
        effects.note(ctx);
        await doing(ctx);
        return call;
      },
      {
        retry: atOnce,
        compensate: async (ctx, _input, output) => {
          effects.note(ctx);
          if (output !== 'first') await effects.writeRow(ctx, `${ctx.instanceId}/${ctx.activityId}`);
          // What the first attempt writes is rolled back with it.
          if (output === 'third' && ctx.attempt === 1) throw new Error('on second thought, no');
        },
      },
    );
  const mouse = mouseWorkflow(mouseName(name), effects);

  return defineWorkflow(name, async (ctx, heardBefore: typeof firstPart | undefined) => {
    const own = (what: string): string => `${what} of ${ctx.instanceId}`;
    if (heardBefore !== undefined) {
      const left = (await ctx.receive(own('all'))).data;
      const codeOf = ({ code }: { readonly code?: string }): string | undefined => code;
      const more = await ctx.receive(own('all'), { timeout: 5 }).then(() => 'another one', codeOf);
      for (const call of ['second', 'third']) await ctx.run(undoable(call), undefined, { id: call });
      throw new Error(JSON.stringify({ ...heardBefore, left, more }));
    }
    await ctx.subscribe(own('all'));
    await ctx.subscribe(own('one'), 'competing');
    await ctx.subscribe(own('me'), 'direct');
    const conflict = await ctx.subscribe(own('one'), 'broadcast').then(
      () => 'none',
      ({ code }: { readonly code: string }) => code,
    );
    await ctx.joinGroup(own('us'));
    await ctx.publish(own('all'), 'to all');
    await ctx.publish(own('one'), 'to one');
    await ctx.sendTo(ctx.instanceId, own('me'), 'to me');
    await ctx.publish(own('me'), 'to us', { group: own('us') });
    await ctx.sendEvent({ type: 'said', source: `/${ctx.instanceId}` });
    const members = (await ctx.groupMembers(own('us'))).length;
    await ctx.leaveGroup(own('us'));
    // Not undone: it belongs to the part before.
    await ctx.run(
      undoable('first', async (activity) => {
        await activity.publish(own('all'), 'done');
        await activity.sendEvent({ type: 'done', source: `/${ctx.instanceId}` });
        effects.ask(ctx.instanceId, 'answer');
      }),
      undefined,
      { id: 'first' },
    );
    const heard: unknown[] = [];
    for (const channel of ['all', 'one', 'me', 'me', 'all']) heard.push((await ctx.receive(own(channel))).data);
    const [{ data: answer }, child] = await Promise.all([
      ctx.waitEvent('answer', { match: { 'data.to': 'society' } }),
      ctx.runChild(mouse as never, { part: 0, value: 7 } as never),
    ]);
    await ctx.publish(own('all'), 'left over');
    return await ctx.recur({ heard, members, answer, child, conflict });
  });
}
