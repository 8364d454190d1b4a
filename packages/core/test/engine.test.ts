// The engine on the memory storage: what each durable verb does, on the first run and on replay.
import { afterEach, describe, expect, it } from 'vitest';
import {
  ActivityFailedError,
  defineActivity,
  defineWorkflow,
  InstanceConflictError,
  NonDeterminismError,
  Romancy,
  TerminalError,
  WaitTimeoutError,
  WorkflowCancelledError,
  WorkflowFailedError,
  type RomancyOptions,
} from '../src/index.js';
import { createMemoryDatabase, createMemoryStorage, ManualClock, recordingLogger } from '../src/testing/index.js';

const apps: Romancy[] = [];

async function startApp(options: Partial<RomancyOptions>): Promise<Romancy> {
  const app = new Romancy({ storage: createMemoryStorage(), logger: recordingLogger(), ...options });
  apps.push(app);
  await app.start();
  return app;
}

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop({ timeout: 100 })));
});

describe('a workflow', () => {
  it('is started by its definition, and not by its name', async () => {
    const workflow = defineWorkflow('named', () => 'done');
    const app = await startApp({ workflows: [workflow] });
    await expect(app.startWorkflow('named' as never)).rejects.toThrow(
      'startWorkflow takes what defineWorkflow returned, and not its name (named)',
    );
    await expect(app.startWorkflow(undefined as never)).rejects.toMatchObject({ code: 'CONFIGURATION', option: 'workflow' });
  });

  it('of one activity completes with its return value', async () => {
    const double = defineActivity('double', (_ctx, input: number) => input * 2);
    const workflow = defineWorkflow('doubling', async (ctx, input: number) => await ctx.run(double, input));
    const app = await startApp({ workflows: [workflow] });
    const handle = await app.startWorkflow(workflow, 21);
    expect(await handle.result()).toBe(42);
    expect(await handle.status()).toBe('completed');
  });

  it('takes four commits for three steps', async () => {
    const workflow = defineWorkflow('three', async (ctx) => {
      const a = await ctx.run('a', () => 1);
      const b = await ctx.run('b', () => a + 1);
      return await ctx.run('c', () => b + 1);
    });
    const app = await startApp({ workflows: [workflow] });
    const handle = await app.startWorkflow(workflow);
    expect(await handle.result()).toBe(3);
    expect(app.status().commits).toBe(4);
  });

  it('that throws is failed, with the error as cause', async () => {
    const workflow = defineWorkflow('throws', () => {
      throw Object.assign(new RangeError('too far'), { distance: 7 });
    });
    const app = await startApp({ workflows: [workflow] });
    const handle = await app.startWorkflow(workflow);
    const error = await handle.result().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toMatchObject({ name: 'RangeError', message: 'too far', distance: 7 });
    expect(await handle.status()).toBe('failed');
  });

  it('refuses an id that is in use, or gives the handle of the one that is there', async () => {
    const workflow = defineWorkflow('once', async (ctx) => await ctx.run('a', () => 'done'));
    const app = await startApp({ workflows: [workflow] });
    await app.startWorkflow(workflow, undefined, { instanceId: 'same' });
    await expect(app.startWorkflow(workflow, undefined, { instanceId: 'same' })).rejects.toThrow(InstanceConflictError);
    const handle = await app.startWorkflow(workflow, undefined, { instanceId: 'same', onConflict: 'existing' });
    expect(await handle.result()).toBe('done');
  });
});

describe('retries', () => {
  it('make three attempts for two failures, the last one counting', async () => {
    const clock = new ManualClock();
    const attempts: number[] = [];
    const workflow = defineWorkflow('retrying', (ctx) =>
      ctx.run('flaky', ({ attempt }) => {
        attempts.push(attempt);
        if (attempt < 3) throw new Error(`no ${attempt}`);
        return 'yes';
      }),
    );
    const app = await startApp({ clock, workflows: [workflow] });
    const handle = await app.startWorkflow(workflow);
    await clock.advance('1m');
    expect(await handle.result()).toBe('yes');
    expect(attempts).toEqual([1, 2, 3]);
  });

  it('end with the last cause and the number of attempts', async () => {
    const clock = new ManualClock();
    const workflow = defineWorkflow('hopeless', async (ctx) => {
      try {
        return await ctx.run('never', () => Promise.reject<string>(new Error('never')), { retry: { maxAttempts: 3 } });
      } catch (error) {
        return { isOurs: error instanceof ActivityFailedError, attempts: (error as ActivityFailedError).attempts };
      }
    });
    const app = await startApp({ clock, workflows: [workflow] });
    const handle = await app.startWorkflow(workflow);
    await clock.advance('10m');
    expect(await handle.result()).toEqual({ isOurs: true, attempts: 3 });
  });

  it('end at once for a terminal error, which keeps its class', async () => {
    class PaymentDeclined extends TerminalError {
      readonly reason = 'card';
    }
    const workflow = defineWorkflow('declined', async (ctx) => {
      try {
        return await ctx.run('pay', () => Promise.reject<string>(new PaymentDeclined('declined')));
      } catch (error) {
        await ctx.sleep(10);
        return error instanceof PaymentDeclined ? error.reason : 'other';
      }
    });
    const app = await startApp({ workflows: [workflow], errors: [PaymentDeclined] });
    expect(await (await app.startWorkflow(workflow)).result()).toBe('card');
  });

  it('stall the instance where an error cannot even be looked at, and end no process', async () => {
    const opaque = (): Error =>
      Object.defineProperty(new Error('opaque'), 'cause', {
        get() {
          throw new RangeError('not to be seen');
        },
      });
    class Unaskable extends Error {
      static override [Symbol.hasInstance](): boolean {
        throw new RangeError('not to be asked');
      }
    }
    const workflows = [
      defineWorkflow('rejects', (ctx) => ctx.run('a', () => Promise.reject<string>(opaque()))),
      defineWorkflow('throws', (ctx) =>
        ctx.run('a', () => {
          throw opaque();
        }),
      ),
      defineWorkflow('asks', (ctx) =>
        ctx.run('a', () => Promise.reject<string>(new Error('no')), { retry: { nonRetryable: [Unaskable] } }),
      ),
    ];
    const app = await startApp({ workflows });
    for (const workflow of workflows) {
      const handle = await app.startWorkflow(workflow);
      await expect.poll(() => handle.status()).toBe('stalled');
    }
    expect(app.status().running).toBe(0);
  });
});

describe('waits', () => {
  it('sleep for a month in no time, and replay what came before once', async () => {
    const clock = new ManualClock();
    let runs = 0;
    const workflow = defineWorkflow('sleeper', async (ctx) => {
      const before = ctx.now();
      const id = ctx.uuid();
      await ctx.run('count', () => void runs++);
      await ctx.sleep('30d');
      return { slept: ctx.now() - before, id, random: ctx.random() };
    });
    const app = await startApp({ clock, workflows: [workflow] });
    const handle = await app.startWorkflow(workflow);
    await clock.advance(0);
    expect(await handle.status()).toBe('waiting_for_timer');
    expect(app.status().running).toBe(0);
    await clock.jump('30d');
    const { slept } = await handle.result();
    expect(slept).toBeGreaterThanOrEqual(30 * 86_400_000);
    expect(slept).toBeLessThan(30 * 86_400_000 + 100);
    expect(runs).toBe(1);
  });

  it('receive an event that was sent before the wait to this instance', async () => {
    const workflow = defineWorkflow('waiter', async (ctx) => {
      await ctx.sleep(50);
      const event = await ctx.waitEvent<{ amount: number }>('paid');
      return event.data.amount;
    });
    const app = await startApp({ workflows: [workflow] });
    const handle = await app.startWorkflow(workflow);
    const sent = await app.sendEvent({
      type: 'paid',
      source: 'test',
      id: '1',
      data: { amount: 5 },
      instanceId: handle.instanceId,
    });
    expect(sent).toMatchObject({ duplicate: false, receivers: 1 });
    expect(
      await app.sendEvent({ type: 'paid', source: 'test', id: '1', data: { amount: 6 }, instanceId: handle.instanceId }),
    ).toMatchObject({
      duplicate: true,
    });
    expect(await handle.result()).toBe(5);
  });

  it('time out with a typed error', async () => {
    const clock = new ManualClock();
    const workflow = defineWorkflow('impatient', async (ctx) => {
      try {
        return await ctx.waitEvent('never', { timeout: '5m' });
      } catch (error) {
        await ctx.sleep('1m');
        return error instanceof WaitTimeoutError && error.timeoutMs;
      }
    });
    const app = await startApp({ clock, workflows: [workflow] });
    const handle = await app.startWorkflow(workflow);
    await clock.advance('10m');
    expect(await handle.result()).toBe(300_000);
  });

  it('race and all resolve on replay as they did', async () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const workflow = defineWorkflow('racer', async (ctx) => {
      const winner = await Promise.race([
        ctx.sleep('1h').then(() => 'timer'),
        ctx.waitEvent('go').then(() => 'event'),
        ctx.run('quick', () => 'activity'),
      ]);
      const all = await Promise.all(Array.from({ length: 20 }, (_, index) => ctx.run('part', () => index)));
      await ctx.sleep('2h');
      if (!ctx.isReplaying) seen.push(winner);
      return { winner, sum: all.reduce((a, b) => a + b, 0) };
    });
    const app = await startApp({ clock, workflows: [workflow] });
    const handle = await app.startWorkflow(workflow);
    await clock.advance('3h');
    expect(await handle.result()).toEqual({ winner: 'activity', sum: 190 });
    expect(seen).toEqual(['activity']);
  });
});

describe('cancel', () => {
  it('ends a sleeping and a running instance', async () => {
    let aborted: unknown;
    const sleeping = defineWorkflow('sleeping', async (ctx) => {
      await ctx.sleep('1h');
    });
    const running = defineWorkflow('running', async (ctx) => {
      await ctx.run('long', async ({ signal }) => {
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = signal.reason;
            resolve();
          });
        });
      });
    });
    const app = await startApp({ workflows: [sleeping, running] });
    const one = await app.startWorkflow(sleeping);
    const two = await app.startWorkflow(running);
    await one.cancel('enough');
    await two.cancel('enough');
    await expect(one.result()).rejects.toMatchObject({ code: 'WORKFLOW_CANCELLED', reason: 'enough' });
    await expect(two.result()).rejects.toThrow(WorkflowCancelledError);
    expect(aborted).toBeInstanceOf(WorkflowCancelledError);
    expect(await one.status()).toBe('cancelled');
    await one.cancel('again');
  });
});

describe('determinism', () => {
  it('is checked: changed code stalls the instance, and the right code goes on', async () => {
    const clock = new ManualClock();
    const database = createMemoryDatabase();
    const right = defineWorkflow('changing', async (ctx) => {
      const a = await ctx.run('a', () => 'a');
      await ctx.sleep('1h');
      return a;
    });
    const wrong = defineWorkflow('changing', async (ctx) => {
      const b = await ctx.run('b', () => 'b');
      await ctx.sleep('1h');
      return b;
    });
    const first = await startApp({ clock, storage: createMemoryStorage({ database }), workflows: [right] });
    const handle = await first.startWorkflow(right, undefined, { instanceId: 'x' });
    await clock.advance(0);
    expect(await handle.status()).toBe('waiting_for_timer');
    await first.stop();
    const second = await startApp({ clock, storage: createMemoryStorage({ database }), workflows: [wrong] });
    await clock.advance('1h');
    const view = await second.get('x');
    expect(view?.status).toBe('stalled');
    expect(view?.error).toBeInstanceOf(NonDeterminismError);
    expect((view?.error as Error).message).toContain('history says: activity a:1');
    expect((view?.error as Error).message).toContain('the code did: activity b:1');
    await second.stop();
    const third = await startApp({ clock, storage: createMemoryStorage({ database }), workflows: [right] });
    await clock.advance(0);
    expect(await third.getHandle('x').result()).toBe('a');
  });
});
