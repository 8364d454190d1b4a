// What the cases about compensations share: activities that note what they did and what was undone, and pages of a history cut short.
import { defineActivity, type Activity, type ActivityContext, type ActivityOptions } from '../index.js';
import type { TestApp } from './engine-harness.js';

type Compensate = ActivityOptions<Given, Done>['compensate'];

export interface Given {
  readonly of: string;
}

export interface Done {
  readonly by: string;
}

/** Everything that was done and undone, in order, over all apps of a test. */
export interface Deeds {
  readonly done: string[];
  readonly undone: string[];
  /** An activity that notes what it does, and what undoes it notes that; `compensate` is laid over the latter. */
  readonly undoable: (name: string, options?: UndoableOptions) => Activity<Given, Done>;
}

export interface UndoableOptions extends Omit<ActivityOptions<Given, Done>, 'compensate'> {
  /** Within the activity, before it returns. */
  readonly doing?: (ctx: ActivityContext) => unknown;
  /** Within the compensation, after it was noted. */
  readonly undoing?: (ctx: ActivityContext) => unknown;
  readonly policy?: Omit<Exclude<Compensate, undefined | ((...given: never[]) => unknown)>, 'execute'>;
}

export function createDeeds(): Deeds {
  const done: string[] = [];
  const undone: string[] = [];
  return {
    done,
    undone,
    undoable(name, { doing, undoing, policy, ...options } = {}) {
      const execute = async (ctx: ActivityContext, { of }: Given, { by }: Done): Promise<void> => {
        undone.push(`${name} of ${of} by ${by}`);
        await undoing?.(ctx);
      };
      return defineActivity<Given, Done>(
        name,
        async (ctx, { of }) => {
          done.push(name);
          await doing?.(ctx);
          return { by: `${ctx.activityId} for ${of}` };
        },
        { ...options, compensate: policy === undefined ? execute : { ...policy, execute } },
      );
    },
  };
}

/** What is noted of `undoable(name)`, called once with `{ of: 'me' }`. */
export function undone(...names: readonly string[]): string[] {
  return names.map((name) => `${name} of me by ${name}:1 for me`);
}

/** Has the app read histories by pages of so many entries, from its next claim on. */
export function readBy(app: TestApp, page: number): void {
  app.storage.plan = {
    before: ({ name, argument }) => {
      if (name === 'runs.claim') (argument as { historyLimit: number }).historyLimit = page;
      if (name === 'runs.history') (argument as { limit: number }).limit = page;
    },
  };
}

/** Lets the app's process die at the so-manieth commit from now on. @returns whether it has */
export function dieAt(
  app: TestApp,
  { count, moment }: { readonly count: number; readonly moment: 'before' | 'after' },
): () => boolean {
  let reached = 0;
  let isDead = false;
  const die =
    (here: typeof moment) =>
    async ({ name }: { readonly name: string }): Promise<void> => {
      if (name !== 'runs.commit' && name !== 'transactions.commit') return;
      if (here === 'before') reached++;
      if (reached !== count || here !== moment) return;
      isDead = true;
      app.crash();
      await new Promise(() => undefined);
    };
  app.storage.plan = { before: die('before'), after: die('after') };
  return () => isDead;
}
