// Small random workflow programs, and what they note of what their code comes to know.
import fc from 'fast-check';
import { defineWorkflow, type ActivityContext, type Workflow, type WorkflowContext } from '../src/index.js';
import { memoryTransaction } from '../src/testing/index.js';

export type Step =
  | { readonly do: 'run' | 'row'; readonly turns: number; readonly failures: number }
  | { readonly do: 'fail'; readonly turns: number }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'wait'; readonly type: 'a' | 'b'; readonly timeoutMs: number }
  | { readonly do: 'now' | 'random' | 'uuid' }
  | { readonly do: 'join'; readonly times: number }
  | { readonly do: 'sequence' | 'all' | 'race' | 'settled'; readonly steps: readonly Step[] };

const turns = fc.nat(4);

const leaf: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('run' as const, 'row' as const), turns, failures: fc.nat(2) }),
  fc.record({ do: fc.constant('fail' as const), turns }),
  fc.record({ do: fc.constant('sleep' as const), ms: fc.nat(60) }),
  fc.record({
    do: fc.constant('wait' as const),
    type: fc.constantFrom('a' as const, 'b' as const),
    timeoutMs: fc.integer({ min: 1, max: 90 }),
  }),
  fc.record({ do: fc.constantFrom('now' as const, 'random' as const, 'uuid' as const) }),
  // Often enough, some of them together, that the code is made to pause.
  fc.record({ do: fc.constant('join' as const), times: fc.integer({ min: 1, max: 90 }) }),
);

/** Programs of some depth; each ends by itself, whatever happens. */
export const programs: fc.Arbitrary<Step> = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({
      do: fc.constantFrom('sequence' as const, 'all' as const, 'race' as const, 'settled' as const),
      steps: fc.array(tie('step'), { minLength: 1, maxLength: 4 }),
    }),
  ),
})).step;

/** Whether what it comes to depends on what is faster. */
export function isRacy(step: Step): boolean {
  if (step.do === 'race' || step.do === 'wait') return true;
  return 'steps' in step && step.steps.some(isRacy);
}

/** One execution: what its code came to know, in that order. */
export type Trace = string[];

/** The program as a workflow. `begin` is called by each execution and gives the trace to write to. */
export function workflowOf(program: Step, begin: () => Trace): Workflow<void, string> {
  let runs = 0;
  return defineWorkflow('program', async (ctx: WorkflowContext, _input: void) => {
    const trace = begin();
    const noted = async (path: string, outcome: Promise<unknown>): Promise<string> => {
      const [how, what] = await outcome.then(
        (value) => ['', value] as const,
        (error: Error) => ['!', error.name] as const,
      );
      trace.push(`${path}${how}=${String(what)}`);
      return `${how}${String(what)}`;
    };
    const act =
      (path: string, step: { readonly turns: number; readonly failures?: number; readonly row?: boolean }) =>
      async (activity: ActivityContext): Promise<string> => {
        // Another run of the same step gives another value: had it been committed before, that would be seen.
        const value = `${path}#${++runs}`;
        if (step.row === true) (await memoryTransaction(activity)).set(path, value);
        for (let turn = 0; turn < step.turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        if (activity.attempt <= (step.failures ?? 0)) throw new Error('not yet');
        return value;
      };
    const execute = async (step: Step, path: string): Promise<string> => {
      switch (step.do) {
        case 'run':
        case 'row':
          return await noted(
            path,
            ctx.run(step.do, act(path, { ...step, row: step.do === 'row' }), { retry: { firstDelay: 3, maxAttempts: 5 } }),
          );
        case 'fail':
          return await noted(path, ctx.run('fail', act(path, { ...step, failures: 9 }), { retry: { maxAttempts: 1 } }));
        case 'sleep':
          return await noted(path, ctx.sleep(step.ms));
        case 'wait':
          return await noted(
            path,
            ctx.waitEvent<string>(step.type, { timeout: step.timeoutMs }).then(({ data }) => data),
          );
        case 'now':
        case 'random':
        case 'uuid': {
          const value = ctx[step.do]();
          trace.push(`${path}=${value}`);
          return step.do;
        }
        case 'join': {
          for (let time = 0; time < step.times; time++) {
            const joined = ctx.joinGroup('g');
            trace.push(`${path}=joined`);
            await joined;
          }
          return 'joined';
        }
        case 'sequence': {
          const results: string[] = [];
          for (const [index, part] of step.steps.entries()) results.push(await execute(part, `${path}.${index}`));
          return `(${results.join()})`;
        }
        case 'all':
          return `[${(await Promise.all(step.steps.map((part, index) => execute(part, `${path}.${index}`)))).join()}]`;
        case 'race':
          return await Promise.race(step.steps.map((part, index) => execute(part, `${path}.${index}`)));
        case 'settled': {
          const settled = await Promise.allSettled(step.steps.map((part, index) => execute(part, `${path}.${index}`)));
          return `{${settled.map(({ status }) => status).join()}}`;
        }
      }
    };
    return await execute(program, 'p');
  });
}
