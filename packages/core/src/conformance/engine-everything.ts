// A workflow that uses every durable call, and what it comes to, whatever goes wrong on the way.
import { expect } from 'vitest';
import {
  defineActivity,
  defineWorkflow,
  type ActivityContext,
  type Duration,
  type RetryOptions,
  type Storage,
} from '../index.js';
import type { TestApp } from './engine-harness.js';
import type { UserRows } from './engine-fixture.js';

const atOnce: RetryOptions = { maxAttempts: 20, firstDelay: 1, factor: 1, jitter: false };

/** What every instance of it returns. */
export const everythingResult = {
  declared: 2,
  inline: 4,
  echoed: true,
  tried: 'in the end',
  row: 'row:1',
  slept: true,
  answer: { to: 'everything' },
  matched: { to: 'everything', second: true },
  heard: ['broadcast', 'competing', 'direct', 'grouped', 'from an activity'],
  members: 1,
  child: 'grown',
  undoable: 'done',
  silence: 'WAIT_TIMEOUT',
  all: [1, 2, 'slept'],
  first: 'quick',
  caught: ['RangeError', 7],
};

/** What its activities did. */
export interface Everything {
  /** Starts an instance on this app; the event that it waits for is sent to it at once, through `by` (default: the same app). */
  start(app: TestApp, instanceId: string, by?: TestApp): Promise<void>;
  /** How often each activity was begun, by the instance and the id of the call. */
  readonly begun: ReadonlyMap<string, number>;
  readonly workflow: ReturnType<typeof defineWorkflow<unknown, typeof everythingResult>>;
  /**
   * Looks at an instance that has ended: each activity began, those of `committed` (ids of calls that were recorded before somebody
   * died) no more often than they had then, history holds one outcome of each call, and the row is there.
   */
  check(storage: Storage, instanceId: string, committed?: ReadonlyMap<string, number>): Promise<void>;
}

export function createEverything(options: { readonly rows: UserRows | undefined; readonly nap: Duration }): Everything {
  const { rows, nap } = options;
  const begun = new Map<string, number>();
  const note = ({ instanceId, activityId }: ActivityContext): void => {
    const key = `${instanceId} ${activityId}`;
    begun.set(key, (begun.get(key) ?? 0) + 1);
  };
  const noted =
    <T>(execute: (ctx: ActivityContext) => T) =>
    (ctx: ActivityContext): T => {
      note(ctx);
      return execute(ctx);
    };
  const increment = defineActivity(
    'declared',
    noted(() => 2),
    { retry: atOnce },
  );
  const retry = { retry: atOnce };
  const undoable = defineActivity(
    'undoable',
    noted(async (activity) => {
      await activity.publish(`news of ${activity.instanceId}`, 'from an activity');
      return 'done';
    }),
    { ...retry, compensate: () => expect.unreachable('nothing is undone of what completes') },
  );

  const workflow: Everything['workflow'] = defineWorkflow('everything', async (ctx, input: unknown) => {
    // The second part of the child of itself.
    if (input === 'grown') return 'grown' as never;
    if (input === 'child') return await ctx.recur('grown');
    const recorded = [ctx.now(), ctx.random(), ctx.uuid()];
    const declared = await ctx.run(increment);
    const inline = await ctx.run(
      'inline',
      noted(() => declared * 2),
      retry,
    );
    const echo = await ctx.run(
      'echo',
      noted(() => recorded),
      retry,
    );
    const tried = await ctx.run(
      'tried',
      noted(({ attempt }) => (attempt < 3 ? Promise.reject<string>(new Error(`no ${attempt}`)) : 'in the end')),
      retry,
    );
    const row = await ctx.run(
      'row',
      noted(async (activity) => {
        await rows?.write(activity, activity.instanceId, activity.activityId);
        return activity.activityId;
      }),
      retry,
    );
    const before = ctx.now();
    await ctx.sleep(nap);
    await ctx.sleepUntil(before);
    const slept = ctx.now() >= before;
    const { data: answer } = await ctx.waitEvent<typeof everythingResult.answer>('answer');
    const { data: matched } = await ctx.waitEvent<typeof everythingResult.matched>('answer', { match: { 'data.second': true } });
    const group = `group of ${ctx.instanceId}`;
    const [news, jobs] = [`news of ${ctx.instanceId}`, `jobs of ${ctx.instanceId}`];
    await Promise.all([ctx.subscribe(news), ctx.subscribe(jobs, 'competing'), ctx.subscribe('mine', 'direct')]);
    await ctx.joinGroup(group);
    await ctx.publish(news, 'broadcast');
    await ctx.publish(jobs, 'competing');
    await ctx.sendTo(ctx.instanceId, 'mine', 'direct');
    await ctx.publish('mine', 'grouped', { group });
    await ctx.sendEvent({ type: 'told', source: '/everything' });
    const members = (await ctx.groupMembers(group)).length;
    await ctx.leaveGroup(group);
    const undone = await ctx.run(undoable);
    const heard: unknown[] = [];
    for (const channel of [news, jobs, 'mine', 'mine', news]) heard.push((await ctx.receive(channel)).data);
    await ctx.unsubscribe(news);
    const child = (await ctx.runChild(workflow, 'child')) as unknown as string;
    const silence = await ctx.waitEvent('silence', { timeout: nap }).then(
      () => 'an event',
      (error: { code: string }) => error.code,
    );
    const all = await Promise.all([
      ctx.run(
        'part',
        noted(() => 1),
        retry,
      ),
      ctx.run(
        'part',
        noted(() => 2),
        { ...retry, id: 'the other part' },
      ),
      ctx.sleep(nap).then(() => 'slept'),
    ]);
    const first = await Promise.race([
      ctx.run(
        'quick',
        noted(() => 'quick'),
        retry,
      ),
      ctx.sleep('10d').then(() => 'slow'),
      ctx.waitEvent('never').then(() => 'never'),
    ]);
    const caught = await ctx
      .run(
        'failing',
        noted(() => Promise.reject<never>(Object.assign(new RangeError('too far'), { distance: 7 }))),
        {
          retry: { maxAttempts: 1 },
        },
      )
      .catch((error: Error & { distance: number }) => [error.name, error.distance]);
    return {
      declared,
      inline,
      echoed: JSON.stringify(echo) === JSON.stringify(recorded),
      tried,
      row,
      slept,
      answer,
      matched,
      heard: heard as string[],
      members,
      child,
      undoable: undone,
      silence,
      all,
      first,
      caught,
    };
  });

  return {
    workflow,
    begun,
    async start(app, instanceId, by = app) {
      await app.romancy.startWorkflow(workflow, undefined, { instanceId });
      const answer = { type: 'answer', source: 'tests', instanceId };
      await by.romancy.sendEvent({ ...answer, id: instanceId, data: everythingResult.answer });
      await by.romancy.sendEvent({ ...answer, id: `${instanceId}, the second`, data: everythingResult.matched });
    },
    async check(storage, instanceId, committed = new Map()) {
      const history = await storage.runs.history({ instanceId, afterSeq: 0, limit: 1000 });
      const silent = ['value', 'timer_set', 'wait_set', 'receive_set', 'activity_retry'];
      const outcomes = history.filter(({ kind }) => !silent.includes(kind));
      const ids = outcomes.map(({ callId }) => callId);
      expect(
        ids.filter((id, place) => ids.indexOf(id) !== place),
        `${instanceId}: outcomes recorded twice`,
      ).toEqual([]);
      expect(history.map(({ seq }) => seq)).toEqual([...new Set(history.map(({ seq }) => seq))].sort((a, b) => a - b));
      const activities = outcomes.filter(({ kind }) => kind.startsWith('activity')).map(({ callId }) => callId);
      expect([...activities].sort()).toEqual(
        [
          ...['declared:1', 'echo:1', 'failing:1', 'inline:1', 'part:1', 'quick:1', 'row:1', 'the other part', 'tried:1'],
          'undoable:1',
        ].sort(),
      );
      for (const callId of activities) {
        const times = begun.get(`${instanceId} ${callId}`) ?? 0;
        expect(times, `${instanceId} ${callId}`).toBeGreaterThan(0);
        if (committed.has(callId)) expect(times, `${instanceId} ${callId} was committed already`).toBe(committed.get(callId));
      }
      if (rows !== undefined) expect(await rows.read(instanceId)).toBe('row:1');
    },
  };
}
