// What TypeScript infers and refuses for activities, workflows, and the calls between them; checked by `pnpm typecheck`.
import { expectTypeOf, test } from 'vitest';
import {
  defineActivity,
  defineWorkflow,
  Romancy,
  type ReceivedEvent,
  type StandardSchema,
  type StartResult,
  type Storage,
  type Workflow,
  type WorkflowContext,
  type WorkflowFunction,
} from '../index.js';

declare const ctx: WorkflowContext;
declare const app: Romancy;
declare const storage: Storage;
declare const countFromText: StandardSchema<{ count: string }, { count: number }>;
declare const paid: StandardSchema<unknown, { amount: number }>;

const double = defineActivity('double', (_ctx, input: number) => input * 2);
const ping = defineActivity('ping', async () => 'pong' as const);
const maybe = defineActivity('maybe', (_ctx, input: string | undefined) => input?.length ?? 0);
const counted = defineActivity('counted', (_ctx, input) => input.count, { input: countFromText });
const checked = defineActivity('checked', (_ctx, input: string) => ({ amount: input.length }), { output: paid });

test('ctx.run knows the input and the output of a declared activity', () => {
  expectTypeOf(ctx.run(double, 1)).resolves.toEqualTypeOf<number>();
  expectTypeOf(ctx.run(double, 1, { id: 'own', timeout: '5s' })).resolves.toEqualTypeOf<number>();
  // @ts-expect-error the input is a number
  void ctx.run(double, '1');
  // @ts-expect-error the input may not be left out
  void ctx.run(double);
  // @ts-expect-error there is no such option
  void ctx.run(double, 1, { name: 'x' });
});

test('an input that may be undefined may be left out', () => {
  expectTypeOf(ctx.run(ping)).resolves.toEqualTypeOf<'pong'>();
  expectTypeOf(ctx.run(ping, undefined, { id: 'own' })).resolves.toEqualTypeOf<'pong'>();
  expectTypeOf(ctx.run(maybe)).resolves.toEqualTypeOf<number>();
  expectTypeOf(ctx.run(maybe, 'text')).resolves.toEqualTypeOf<number>();
  // @ts-expect-error neither a string nor undefined
  void ctx.run(maybe, 7);
});

test('a schema gives the function what it makes, and takes from callers what it takes', () => {
  expectTypeOf(ctx.run(counted, { count: '7' })).resolves.toEqualTypeOf<number>();
  // @ts-expect-error callers give what the schema takes, not what it makes of it
  void ctx.run(counted, { count: 7 });
  expectTypeOf(ctx.run(checked, 'text')).resolves.toEqualTypeOf<{ amount: number }>();
});

test('an activity in place has the type of what it returns', () => {
  expectTypeOf(ctx.run('now', () => 1)).resolves.toEqualTypeOf<number>();
  expectTypeOf(ctx.run('later', async ({ attempt }) => String(attempt))).resolves.toEqualTypeOf<string>();
  // @ts-expect-error a name needs a function
  void ctx.run('nothing');
});

const plain = defineWorkflow('plain', async (inner, input: { sku: string }) => {
  expectTypeOf(inner).toEqualTypeOf<WorkflowContext<{ sku: string }>>();
  return input.sku.length;
});
const without = defineWorkflow('without', async () => true);
const parsed = defineWorkflow('parsed', (_ctx, input) => input.count, { input: countFromText });

test('startWorkflow knows the input, and its handle the output', () => {
  expectTypeOf(plain).toEqualTypeOf<Workflow<{ sku: string }, number>>();
  const handle = app.startWorkflow(plain, { sku: 'boots' }, { instanceId: 'i', onConflict: 'existing' });
  expectTypeOf(handle.then((it) => it.result())).resolves.toEqualTypeOf<number>();
  expectTypeOf(app.startWorkflow(without).then((it) => it.result())).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(app.startWorkflow(parsed, { count: '7' }).then((it) => it.result())).resolves.toEqualTypeOf<number>();
  // @ts-expect-error the input may not be left out
  void app.startWorkflow(plain);
  // @ts-expect-error not this input
  void app.startWorkflow(plain, { sku: 7 });
  // @ts-expect-error callers give what the schema takes
  void app.startWorkflow(parsed, { count: 7 });
  // @ts-expect-error an activity is no workflow
  void app.startWorkflow(double, 1);
});

test('ctx.recur takes what the workflow takes', () => {
  defineWorkflow('counting', async (own, input: { count: number }): Promise<number> => {
    if (input.count === 10) return input.count;
    // @ts-expect-error not this input
    if (input.count === 9) return own.recur({ count: '7' });
    // @ts-expect-error the input may not be left out
    if (input.count === 8) return own.recur();
    return own.recur({ count: input.count + 1 });
  });
  defineWorkflow(
    'given',
    async (own, input) => {
      // @ts-expect-error it takes what the schema takes, not what it makes of it
      if (input.count === 9) return own.recur({ count: 7 });
      return own.recur({ count: '7' });
    },
    { input: countFromText },
  );
  defineWorkflow('nothing', (own) => own.recur(undefined));
});

test('a context that is said to be any makes nothing of the input of its workflow', () => {
  const said = defineWorkflow('said', async (own: WorkflowContext, input: { sku: string }) => {
    await own.sleep(input.sku.length);
    return own.recur('anything');
  });
  expectTypeOf(said).toEqualTypeOf<Workflow<{ sku: string }, never>>();
  // @ts-expect-error not this input
  void app.startWorkflow(said, { sku: 7 });
  // @ts-expect-error not this input
  void ctx.startChild(said, { sku: 7 });
});

test('the context of any workflow can be passed on', () => {
  const step = (any: WorkflowContext): Promise<void> => any.sleep(1);
  const next = <T>(own: WorkflowContext<T>, input: T): Promise<never> => own.recur(input);
  const body: WorkflowFunction<number, string> = async (own, input) => {
    await step(own);
    // @ts-expect-error not this input
    await next(own, 'text');
    return await next(own, input);
  };
  expectTypeOf(defineWorkflow('passing', body)).toEqualTypeOf<Workflow<number, string>>();
  expectTypeOf(new Romancy({ storage, workflows: [plain, without, parsed] })).toEqualTypeOf<Romancy>();
});

test('startMany knows the inputs, and its handles the output', () => {
  const results = app.startMany(plain, [{ input: { sku: 'boots' } }, { input: { sku: 'hat' }, instanceId: 'i' }], {
    onConflict: 'existing',
  });
  expectTypeOf(results).resolves.toEqualTypeOf<readonly StartResult<number>[]>();
  const outputs = results.then((all) => all.map((one) => (one.outcome === 'failed' ? one.error : one.handle.result())));
  expectTypeOf(outputs).resolves.toEqualTypeOf<(Error | Promise<number>)[]>();
  expectTypeOf(app.startMany(without, [{}, { instanceId: 'i' }])).resolves.toEqualTypeOf<readonly StartResult<boolean>[]>();
  expectTypeOf(app.startMany(parsed, [{ input: { count: '7' } }])).resolves.toEqualTypeOf<readonly StartResult<number>[]>();
  // @ts-expect-error the input may not be left out
  void app.startMany(plain, [{ instanceId: 'i' }]);
  // @ts-expect-error not this input
  void app.startMany(plain, [{ input: { sku: 7 } }]);
  // @ts-expect-error callers give what the schema takes
  void app.startMany(parsed, [{ input: { count: 7 } }]);
  // @ts-expect-error what is to be done with conflicts is said for all of them
  void app.startMany(plain, [{ input: { sku: 'boots' }, onConflict: 'existing' }]);
});

test('a handle got by id has the output that the caller knows of', () => {
  expectTypeOf(app.getHandle('i').result()).resolves.toEqualTypeOf<unknown>();
  expectTypeOf(app.getHandle<string>('i').result()).resolves.toEqualTypeOf<string>();
});

test('waitEvent has the data that is said, or that the schema makes', () => {
  expectTypeOf(ctx.waitEvent('go')).resolves.toEqualTypeOf<ReceivedEvent>();
  expectTypeOf(ctx.waitEvent<number>('go')).resolves.toEqualTypeOf<ReceivedEvent<number>>();
  expectTypeOf(ctx.waitEvent('go', { schema: paid, timeout: '5m' })).resolves.toEqualTypeOf<ReceivedEvent<{ amount: number }>>();
  // @ts-expect-error a duration has a unit
  void ctx.waitEvent('go', { timeout: '5 minutes' });
});
