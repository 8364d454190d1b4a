// Cases: messages that are large, wrong, to oneself, more than one reading brings, or on their way when a process dies.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, type Workflow, type WorkflowContext } from '../index.js';
import type { EngineBench, EngineHarness, TestApp } from './engine-harness.js';

const consumer = defineWorkflow('consumer', async (ctx, count: number) => {
  await ctx.subscribe('jobs', 'competing');
  const taken: number[] = [];
  while (taken.length < count) taken.push((await ctx.receive<number>('jobs')).data);
  return taken;
});

export function messageCases(bench: EngineBench): void {
  describe('a message', () => {
    it('of 1 MB arrives as it is, whoever sends it', async () => {
      const harness = await bench.harness();
      const text = 'ä'.repeat(524_288);
      const reader = defineWorkflow('reader', async (ctx) => {
        await ctx.subscribe('news');
        const lengths: number[] = [];
        while (lengths.length < 3) {
          const { data } = await ctx.receive<string>('news');
          lengths.push(data === text ? data.length : -1);
        }
        return lengths;
      });
      const writer = defineWorkflow('writer', async (ctx) => {
        await ctx.publish('news', text);
        await ctx.run('write', (activity) => activity.publish('news', text));
      });
      const app = await harness.app({ workflows: [reader, writer] });
      const handle = await app.romancy.startWorkflow(reader);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_message');
      await harness.drive((await app.romancy.startWorkflow(writer)).result());
      await harness.drive(app.romancy.publish('news', text));
      expect(await harness.drive(handle.result())).toEqual([524_288, 524_288, 524_288]);
    });

    it('that is too large or cannot be written is refused where it is sent, on replay too, and the channel goes on', async () => {
      const harness = await bench.harness();
      const teller = defineWorkflow('teller', async (ctx) => {
        await ctx.subscribe('news');
        const codes: unknown[] = [];
        for (const data of ['x'.repeat(20_000), () => 1]) {
          codes.push(await codeOf(() => ctx.publish('news', data)));
          codes.push(await codeOf(() => ctx.sendTo(ctx.instanceId, 'news', data)));
          codes.push(await codeOf(() => ctx.sendEvent({ type: 'news', source: 's', data })));
        }
        await ctx.publish('news', 'small');
        await ctx.sleep(harness.span('1h', 40));
        return [...codes, (await ctx.receive('news')).data];
      });
      const app = await harness.app({ workflows: [teller], maxPayloadBytes: 10_000 });
      const refused = ['PAYLOAD_TOO_LARGE', 'PAYLOAD_NOT_SERIALIZABLE'].flatMap((code) => [code, code, code]);
      expect(await harness.drive((await app.romancy.startWorkflow(teller)).result(), '1h')).toEqual([...refused, 'small']);
      expect(await harness.failure(app.romancy.publish('news', 'x'.repeat(20_000)))).toMatchObject({ code: refused[0] });
    });

    it('with a wrong argument is refused by the name of that, inside and outside', async () => {
      const harness = await bench.harness();
      type Sender = Pick<WorkflowContext, 'publish' | 'sendTo'>;
      const wrong: readonly (readonly [string, (sender: Sender) => Promise<unknown>])[] = [
        ['channel', (sender) => sender.publish('', 1)],
        ['channel', (sender) => sender.publish(7 as unknown as string, 1)],
        ['channel', (sender) => sender.sendTo('i', 'c'.repeat(10_000), 1)],
        ['instanceId', (sender) => sender.sendTo('', 'news', 1)],
        ['group', (sender) => sender.publish('news', 1, { group: '' })],
        ['metadata', (sender) => sender.publish('news', 1, { metadata: { a: {} } as never })],
        ['metadata', (sender) => sender.sendTo('i', 'news', 1, { metadata: [] as never })],
        ['options', (sender) => sender.publish('news', 1, { meta: 1 } as object)],
      ];
      const ofWorkflow = [
        ['mode', (ctx: WorkflowContext) => ctx.subscribe('news', 'all' as 'direct')],
        ['channel', (ctx: WorkflowContext) => ctx.unsubscribe('')],
        ['timeout', (ctx: WorkflowContext) => ctx.receive('news', { timeout: -1 })],
        ['group', (ctx: WorkflowContext) => ctx.joinGroup('')],
      ] as const;
      const teller = defineWorkflow('teller', async (ctx) => {
        const named: string[] = [];
        for (const [name, call] of [...wrong, ...ofWorkflow]) named.push(await naming(name, () => call(ctx)));
        const inActivity = await ctx.run('all', async (activity) => {
          const all: string[] = [];
          for (const [name, call] of wrong) all.push(await naming(name, () => call(activity)));
          return all;
        });
        return [...named, ...inActivity];
      });
      const app = await harness.app({ workflows: [teller] });
      const names = wrong.map(([name]) => name);
      expect(await harness.drive((await app.romancy.startWorkflow(teller)).result())).toEqual([
        ...names,
        ...ofWorkflow.map(([name]) => name),
        ...names,
      ]);
      for (const [name, call] of wrong) {
        expect(await harness.drive(naming(name, () => call(app.romancy as unknown as Sender)))).toBe(name);
      }
    });

    it('reaches its own sender', async () => {
      const harness = await bench.harness();
      const alone = defineWorkflow('alone', async (ctx) => {
        await ctx.subscribe('news');
        await ctx.subscribe('jobs', 'competing');
        const waiting = Promise.all([ctx.receive('news'), ctx.receive('jobs'), ctx.receive('jobs')]);
        await ctx.publish('news', 'to all');
        await ctx.publish('jobs', 'to one');
        await ctx.sendTo(ctx.instanceId, 'jobs', 'to me');
        return (await waiting).map(({ data, sender }) => `${String(data)} from ${sender}`).sort();
      });
      const app = await harness.app({ workflows: [alone] });
      const handle = await app.romancy.startWorkflow(alone, undefined, { instanceId: 'me' });
      expect(await harness.drive(handle.result())).toEqual(['to all from me', 'to me from me', 'to one from me']);
    });

    it('is found behind many that nobody reads, by its channel and by what an event must have', async () => {
      const harness = await bench.harness();
      const picky = defineWorkflow('picky', async (ctx) => {
        await ctx.subscribe('news');
        await ctx.subscribe('other');
        const any = await ctx
          .waitEvent('paid', { match: { subject: 'none' }, timeout: harness.span('1h', 600) })
          .catch(() => 'none');
        const event = await ctx.waitEvent('paid', { match: { subject: 'right' } });
        const first = await ctx.waitEvent('paid');
        return [any, event.id, first.id, (await ctx.receive('other')).data, (await ctx.receive('news')).data];
      });
      const app = await harness.app({ workflows: [picky], maxMessagesPerBatch: 5 });
      const { instanceId, result } = await started(app, picky);
      await harness.untilStatus(app, instanceId, 'waiting_for_event');
      const event = (id: string, subject: string) => ({ id, subject, type: 'paid', source: 's', instanceId });
      for (let number = 0; number < 23; number++) {
        await harness.drive(app.romancy.publish('news', number));
        await harness.drive(app.romancy.sendEvent(event(`wrong ${number}`, 'wrong')));
      }
      await harness.drive(app.romancy.sendEvent(event('the right one', 'right')));
      await harness.drive(app.romancy.publish('other', 'behind all'));
      await harness.leap('1h');
      expect(await harness.drive(result(), '1h')).toEqual(['none', 'the right one', 'wrong 0', 'behind all', 0]);
    });

    it('of a competing channel that a process had when it died is taken by another, each once', async () => {
      const harness = await bench.harness();
      const apps: TestApp[] = [];
      for (let count = 0; count < 3; count++) apps.push(await harness.app({ workflows: [consumer] }));
      const ids: string[] = [];
      for (const [index, app] of apps.entries()) {
        const { instanceId } = await app.romancy.startWorkflow(consumer, 4, { instanceId: `consumer ${index}` });
        ids.push(instanceId);
        await harness.untilStatus(app, instanceId, 'waiting_for_message');
      }
      for (let number = 0; number < 6; number++) await harness.drive(apps[0]!.romancy.publish('jobs', number));
      apps[2]!.crash();
      for (let number = 6; number < 12; number++) await harness.drive(apps[1]!.romancy.publish('jobs', number));
      await harness.bury(apps[2]!, apps[0]!);
      const taken = await harness.drive(Promise.all(ids.map((id) => apps[0]!.romancy.getHandle<number[]>(id).result())));
      expect(taken.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, number) => number));
    });
  });

  describe('an event', () => {
    it('with an id that came before is received once, before and after the end of who received it', async () => {
      const harness = await bench.harness();
      const waiter = defineWorkflow('waiter', async (ctx) => [
        (await ctx.waitEvent('tick')).id,
        (await ctx.waitEvent('tick')).id,
      ]);
      const app = await harness.app({ workflows: [waiter] });
      const { instanceId, result } = await started(app, waiter);
      await harness.untilStatus(app, instanceId, 'waiting_for_event');
      const send = (id: string, source = 's') => harness.drive(app.romancy.sendEvent({ id, type: 'tick', source }));
      const both = await harness.drive(Promise.all([send('1'), send('1')]));
      expect(both.map(({ duplicate }) => duplicate).sort()).toEqual([false, true]);
      await harness.untilStatus(app, instanceId, 'waiting_for_event');
      expect(await send('1', 'another source')).toMatchObject({ duplicate: false, receivers: 1 });
      expect(await harness.drive(result())).toEqual(['1', '1']);
      expect(await send('1')).toMatchObject({ duplicate: true, receivers: 0 });
    });
  });
  familyCases(bench);
}

function familyCases(bench: EngineBench): void {
  const grandchild = defineWorkflow(
    'grandchild',
    async (ctx, name: string) => `${name} ${(await ctx.waitEvent(`go ${name}`)).id}`,
  );
  const child = defineWorkflow('child', (ctx, name: string) => ctx.runChild(grandchild, name));

  describe('children', () => {
    it('of three levels race, and who loses does not change what the parent knows', async () => {
      const harness = await bench.harness();
      const parent = defineWorkflow('parent', async (ctx) => {
        const both = [ctx.runChild(child, 'a'), ctx.runChild(child, 'b')];
        const first = await Promise.race(both);
        await ctx.sleep(harness.span('1h', 40));
        return [first, ...(await Promise.all(both))];
      });
      const app = await harness.app({ workflows: [parent, child, grandchild] });
      const handle = await app.romancy.startWorkflow(parent, undefined, { instanceId: 'p' });
      await untilBelow(harness, app, ['p/child:1/grandchild:1', 'p/child:2/grandchild:1']);
      await harness.drive(app.romancy.sendEvent({ id: '1', type: 'go b', source: 's' }));
      await harness.until(async () => (await app.romancy.get('p/child:2'))?.status === 'completed');
      await harness.drive(app.romancy.sendEvent({ id: '2', type: 'go a', source: 's' }));
      expect(await harness.drive(handle.result(), '1h')).toEqual(['b 1', 'a 2', 'b 1']);
    });

    it('go on when their parent begins anew, which starts others by the same call', async () => {
      const harness = await bench.harness();
      const parent = defineWorkflow('parent', async (ctx, part: number): Promise<string> => {
        const started = await ctx.startChild(child, `part ${part}`);
        if (part === 0) return await ctx.recur(1);
        return await started.result();
      });
      const app = await harness.app({ workflows: [parent, child, grandchild] });
      const handle = await app.romancy.startWorkflow(parent, 0, { instanceId: 'p' });
      await untilBelow(harness, app, ['p/child:1/grandchild:1', 'p~1/child:1/grandchild:1']);
      await harness.drive(app.romancy.sendEvent({ id: 'first', type: 'go part 0', source: 's' }));
      expect(await harness.drive(app.romancy.getHandle('p/child:1').result())).toBe('part 0 first');
      await harness.untilStatus(app, 'p', 'waiting_for_child');
      await harness.drive(app.romancy.sendEvent({ id: 'second', type: 'go part 1', source: 's' }));
      expect(await harness.drive(handle.result())).toBe('part 1 second');
    });
  });
}

async function untilBelow(harness: EngineHarness, app: TestApp, instanceIds: readonly string[]): Promise<void> {
  for (const instanceId of instanceIds) await harness.untilStatus(app, instanceId, 'waiting_for_event');
}

async function started<TOutput>(app: TestApp, workflow: Workflow<unknown, TOutput>) {
  const handle = await app.romancy.startWorkflow(workflow, undefined);
  return { instanceId: handle.instanceId, result: () => handle.result() };
}

async function codeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
    return 'nothing was refused';
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
}

/** The name if the error is about it, or else the whole of it. */
async function naming(name: string, call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return 'nothing was refused';
  } catch (error) {
    const { argument, message } = error as { readonly argument?: string; readonly message: string };
    return argument === name || (argument === undefined && message.includes(name)) ? name : `${argument}: ${message}`;
  }
}
