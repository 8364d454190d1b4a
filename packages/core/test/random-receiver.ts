// Receivers that follow a random script, and what they note of what their code is handed.
import { defineWorkflow, type AnyWorkflow, type WorkflowContext } from '../src/index.js';

export type Channel = 'jobs' | 'news';

export type Move =
  | { readonly do: 'receive'; readonly channel: Channel; readonly timeout: number }
  /** Several waits for jobs at a time, each with its own time limit. */
  | { readonly do: 'several'; readonly timeouts: readonly number[] }
  /** A wait for a job against a timer; where it loses, it stays open. */
  | { readonly do: 'race'; readonly ms: number }
  /** Unsubscribes, and subscribes again after that time. */
  | { readonly do: 'away'; readonly channel: Channel; readonly ms: number }
  | { readonly do: 'sleep'; readonly ms: number }
  /** An activity, and a wait for news meanwhile: what comes finds the run in memory. */
  | { readonly do: 'work'; readonly ms: number }
  /** Publishes a job, which may come back to itself. */
  | { readonly do: 'publish' }
  | { readonly do: 'recur' };

export interface Script {
  readonly moves: readonly Move[];
  /** The first of the moves that this part makes. */
  readonly at: number;
  readonly part: number;
}

/** The ids of messages that one execution of one part was handed, in that order. */
export interface Execution {
  readonly instanceId: string;
  readonly part: number;
  readonly got: string[];
}

/** What ends the last loop of a receiver. */
export const stop = 'stop';
export const modes = { jobs: 'competing', news: 'broadcast' } as const;

/** @param host `begin` is called by each execution, `pause` passes the time of an activity. */
export function receiverOf({
  begin,
  pause,
}: {
  readonly begin: (instanceId: string, part: number) => Execution;
  readonly pause: (ms: number) => Promise<void>;
}): AnyWorkflow {
  return defineWorkflow('receiver', async (ctx: WorkflowContext, { moves, at, part }: Script): Promise<string> => {
    const { got } = begin(ctx.instanceId, part);
    const receive = (channel: Channel, timeout?: number): Promise<unknown> =>
      ctx.receive(channel, timeout === undefined ? {} : { timeout }).then(({ id, data }) => {
        got.push(id);
        return data;
      });
    const orNothing = (receiving: Promise<unknown>): Promise<unknown> => receiving.catch(() => 'nothing');
    if (part === 0) {
      await ctx.subscribe('jobs', modes.jobs);
      await ctx.subscribe('news', modes.news);
    }
    for (let next = at; next < moves.length; next++) {
      const move = moves[next]!;
      switch (move.do) {
        case 'receive':
          await orNothing(receive(move.channel, move.timeout));
          break;
        case 'several':
          await Promise.all(move.timeouts.map((timeout) => orNothing(receive('jobs', timeout))));
          break;
        case 'race':
          await Promise.race([orNothing(receive('jobs')), ctx.sleep(move.ms)]);
          break;
        case 'away':
          await ctx.unsubscribe(move.channel);
          if (move.ms > 0) await ctx.sleep(move.ms);
          await ctx.subscribe(move.channel, modes[move.channel]);
          break;
        case 'sleep':
          await ctx.sleep(move.ms);
          break;
        case 'work':
          await Promise.all([orNothing(receive('news', move.ms)), ctx.run('work', () => pause(move.ms))]);
          break;
        case 'publish':
          await ctx.publish('jobs', 'own');
          break;
        case 'recur':
          return await ctx.recur({ moves, at: next + 1, part: part + 1 } satisfies Script);
      }
    }
    const drain = async (channel: Channel): Promise<void> => {
      while ((await receive(channel)) !== stop);
    };
    await Promise.all([drain('jobs'), drain('news')]);
    return 'drained';
  });
}
