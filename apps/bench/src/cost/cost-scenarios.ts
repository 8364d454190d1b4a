// What is counted: each part of a workflow's life by itself, in a process that does nothing else.
import type { AnyWorkflow, Romancy, Workflow, WorkflowHandle } from '@romancy/core';
import { until } from '../pause.js';
import { makeInput, type OrderInput } from '../workload.js';
import { payload, type CostWorkflows } from './cost-workflows.js';

export interface CostStage {
  /** It has no sender of events, but in scenarios with `outbox`. */
  readonly app: Romancy;
  readonly workflows: CostWorkflows;
  /** Counts what the database is asked for from here until nobody asks any more. */
  readonly counted: (part: () => Promise<unknown>) => Promise<void>;
}

export interface CostScenario {
  /** In the table. */
  readonly what: string;
  readonly outbox?: boolean;
  /** Makes one instance, counts its part once, and lets the instance end. */
  once(stage: CostStage): Promise<void>;
}

type Held = Workflow<OrderInput, unknown>;

/** Starts one; resolves when its first step waits to be let through. */
async function startHeld({ app, workflows }: CostStage, workflow: Held): Promise<WorkflowHandle<unknown>> {
  const run = await app.startWorkflow(workflow, makeInput());
  await workflows.turnstile.arrival();
  return run;
}

/** Lets the step through that waits; resolves when the next one does. */
async function toNextStep({ workflows: { turnstile } }: CostStage): Promise<void> {
  turnstile.open();
  await turnstile.arrival();
}

async function toEnd({ workflows: { turnstile } }: CostStage, run: WorkflowHandle<unknown>): Promise<unknown> {
  turnstile.open();
  return await run.result();
}

/** Lets the step through that waits; resolves when the instance is out of memory. */
async function toWait({ app, workflows: { turnstile } }: CostStage): Promise<void> {
  turnstile.open();
  await until('an instance that was put away', () => app.status().running === 0);
}

/** From one step to the next, with something else in between. */
function between(what: string, workflowOf: (workflows: CostWorkflows) => Held, more: Partial<CostScenario> = {}): CostScenario {
  return {
    what,
    async once(stage) {
      const run = await startHeld(stage, workflowOf(stage.workflows));
      await stage.counted(() => toNextStep(stage));
      await toEnd(stage, run);
    },
    ...more,
  };
}

/** Of an instance that waits. */
function ofWaiting(
  what: string,
  workflowOf: (workflows: CostWorkflows) => Held,
  part: (stage: CostStage, instanceId: string) => Promise<unknown>,
  ending: (stage: CostStage, run: WorkflowHandle<unknown>) => Promise<unknown> = toEnd,
): CostScenario {
  return {
    what,
    async once(stage) {
      const run = await startHeld(stage, workflowOf(stage.workflows));
      await toWait(stage);
      await stage.counted(() => part(stage, run.instanceId));
      await ending(stage, run);
    },
  };
}

const eventFor = (instanceId?: string) => ({
  ...{ type: 'cost.go', source: '/cost', data: payload },
  ...(instanceId === undefined ? {} : { instanceId }),
});

export const costScenarios: readonly CostScenario[] = [
  {
    what: 'start, until the first step begins',
    async once(stage) {
      let run: WorkflowHandle<unknown> | undefined;
      await stage.counted(async () => {
        run = await startHeld(stage, stage.workflows.steps);
      });
      await toNextStep(stage);
      await toNextStep(stage);
      await toEnd(stage, run!);
    },
  },
  {
    what: 'step, until the next one begins',
    async once(stage) {
      const run = await startHeld(stage, stage.workflows.steps);
      await stage.counted(() => toNextStep(stage));
      await toNextStep(stage);
      await toEnd(stage, run);
    },
  },
  {
    what: 'last step and completion',
    async once(stage) {
      const run = await startHeld(stage, stage.workflows.steps);
      await toNextStep(stage);
      await toNextStep(stage);
      await stage.counted(() => toEnd(stage, run));
    },
  },
  {
    what: 'three steps, start to result',
    once: (stage) =>
      stage.counted(async () => {
        const run = await startHeld(stage, stage.workflows.steps);
        await toNextStep(stage);
        await toNextStep(stage);
        await toEnd(stage, run);
      }),
  },
  between('step, then one with a transaction of its own and a row', ({ transaction }) => transaction),
  {
    what: 'step, then a wait, until it is put away',
    async once(stage) {
      const run = await startHeld(stage, stage.workflows.event);
      await stage.counted(() => toWait(stage));
      await stage.app.sendEvent(eventFor(run.instanceId));
      await stage.workflows.turnstile.arrival();
      await toEnd(stage, run);
    },
  },
  ofWaiting(
    'event for one that waits, until it goes on',
    ({ event }) => event,
    async ({ app, workflows }, instanceId) => {
      await app.sendEvent(eventFor(instanceId));
      await workflows.turnstile.arrival();
    },
  ),
  ofWaiting(
    'the same, found by the type alone',
    ({ event }) => event,
    async ({ app, workflows }) => {
      await app.sendEvent(eventFor());
      await workflows.turnstile.arrival();
    },
  ),
  {
    what: 'event for one at work, until it is kept',
    async once(stage) {
      const run = await startHeld(stage, stage.workflows.steps);
      await stage.counted(() => stage.app.sendEvent(eventFor(run.instanceId)));
      await toNextStep(stage);
      await toNextStep(stage);
      await toEnd(stage, run);
    },
  },
  ofWaiting(
    'message to one subscriber, until it goes on',
    ({ message }) => message,
    async ({ app, workflows }) => {
      await app.publish('cost', payload);
      await workflows.turnstile.arrival();
    },
  ),
  between('step, then a sleep, until the next step begins', ({ timer }) => timer),
  between('step, then an attempt that fails, until the next begins', ({ retry }) => retry),
  {
    what: 'last step and recur, until the next first step begins',
    async once(stage) {
      const run = await stage.app.startWorkflow(stage.workflows.recurring, { input: makeInput(), left: 1 });
      await stage.workflows.turnstile.arrival();
      await stage.counted(() => toNextStep(stage));
      await toEnd(stage, run);
    },
  },
  between('step, then a child without steps, until the next begins', ({ parent }) => parent),
  between('step, then an event through the outbox', ({ outbox }) => outbox, { outbox: true }),
  ofWaiting(
    'cancellation of one that waits, until it has ended',
    ({ event }) => event,
    ({ app }, instanceId) => app.cancel(instanceId),
    // That it has ended.
    (_stage, run) => run.result().catch(() => undefined),
  ),
];

/** All that the app is to serve. */
export function servedBy({ turnstile: _turnstile, ...workflows }: CostWorkflows): readonly AnyWorkflow[] {
  return Object.values(workflows);
}
