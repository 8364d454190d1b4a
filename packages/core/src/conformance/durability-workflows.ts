// The workflows of the durability suite, by name.
import { defineWorkflow, type ActivityContext, type AnyWorkflow, type RetryOptions } from '../index.js';
import type { Drive } from './durability-plan.js';
import type { Effects } from './durability-effects.js';
import { everythingEvents, everythingWorkflow } from './durability-everything.js';
import { mouseWorkflow, societyEvents, societyWorkflow } from './durability-society.js';
import { eventsOf, programWorkflow, type Program } from './durability-program.js';

/** Input of `load`. */
export interface LoadInput {
  readonly steps: number;
  /** How long each step takes, in milliseconds. */
  readonly stepMs: number;
}

/** Input of `three`: the number of the step that never returns in a process that is no heir; 0: none. */
export interface ThreeInput {
  readonly stuckAt: number;
}

/** `kind/anything` names the same code as `kind`, for whom it serves. */
export function durabilityWorkflow(name: string, effects: Effects): AnyWorkflow {
  const kind = name.split('/')[0];
  switch (kind) {
    case 'everything':
      return everythingWorkflow(name, effects);
    case 'society':
      return societyWorkflow(name, effects);
    case 'mouse':
      return mouseWorkflow(name, effects);
    case 'program':
      return programWorkflow(name, effects);
    case 'three':
      return threeWorkflow(name, effects);
    case 'once':
      return onceWorkflow(name, effects);
    case 'sleeper':
      return sleeperWorkflow(name, effects);
    case 'load':
      return loadWorkflow(name, effects);
    case 'deaf':
      return deafWorkflow(name, effects);
    default:
      throw new Error(`the durability suite has no workflow ${name}`);
  }
}

/** The names of all events that an instance asks for. */
export function eventsOfDrive({ workflow, input }: Drive): readonly string[] {
  if (workflow.startsWith('everything')) return everythingEvents;
  if (workflow.startsWith('society')) return societyEvents;
  return workflow.startsWith('program') ? eventsOf(input as Program) : [];
}

/** Three steps. A process that is no heir never gets out of the step `stuckAt`. */
function threeWorkflow(name: string, effects: Effects): AnyWorkflow {
  return defineWorkflow(name, async (ctx, input: ThreeInput) => {
    const results: number[] = [];
    for (let step = 1; step <= 3; step++) {
      results.push(
        await ctx.run(`step-${step}`, async (activity) => {
          effects.note(activity);
          if (step === input.stuckAt && !effects.isHeir) await forever();
          return step;
        }),
      );
    }
    return results;
  });
}

/** Notes each execution of its body. Returns the process that made its only step. */
function onceWorkflow(name: string, effects: Effects): AnyWorkflow {
  return defineWorkflow(name, async (ctx) => {
    effects.note({ instanceId: ctx.instanceId, activityId: 'body', attempt: 1 });
    return await ctx.run('step', (activity: ActivityContext) => {
      effects.note(activity);
      return process.pid;
    });
  });
}

/** Sleeps for its input, in milliseconds, and tells when it woke up. */
function sleeperWorkflow(name: string, effects: Effects): AnyWorkflow {
  return defineWorkflow(name, async (ctx, ms: number) => {
    await ctx.run('before', (activity) => effects.note(activity));
    await ctx.sleep(ms);
    await ctx.run('after', (activity) => effects.note(activity));
    return 'awake';
  });
}

/** A database that fails must not make the attempts run out. */
const patient: RetryOptions = { maxAttempts: 1000, firstDelay: 20, maxDelay: 200 };

/** Steps that take a little while, a row, and a nap in the middle. Returns which process made which step. */
function loadWorkflow(name: string, effects: Effects): AnyWorkflow {
  return defineWorkflow(name, async (ctx, { steps, stepMs }: LoadInput) => {
    const made: number[] = [];
    for (let step = 1; step <= steps; step++) {
      made.push(
        await ctx.run('work', async (activity: ActivityContext) => {
          effects.note(activity);
          await pause(stepMs);
          return process.pid;
        }),
      );
      if (step !== Math.ceil(steps / 2)) continue;
      await ctx.run(
        'row',
        async (activity: ActivityContext) => {
          effects.note(activity);
          await effects.writeRow(activity, `${activity.instanceId}/${activity.activityId}`);
        },
        { retry: patient },
      );
      await ctx.sleep(stepMs);
    }
    return made;
  });
}

/** Its activity never returns, whatever its signal says. */
function deafWorkflow(name: string, effects: Effects): AnyWorkflow {
  return defineWorkflow(name, async (ctx) => {
    await ctx.run('deaf', async (activity) => {
      effects.note(activity);
      if (!effects.isHeir) await forever();
    });
    return 'heard';
  });
}

function forever(): Promise<never> {
  return new Promise(() => undefined);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
