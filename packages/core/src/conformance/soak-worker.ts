// The main program of a worker process of the soaks: one app that goes on until somebody kills it.
import { Romancy, type ActivityContext, type Logger, type Notifier, type Storage } from '../index.js';
import type { SoakPlan } from './soak-plan.js';
import { soakWorkflows } from './soak-workflows.js';

/** What differs between storages. */
export interface SoakWorkerParts {
  createStorage(place: string): Storage;
  /** Default: none, by polling. */
  createNotifier?(place: string): Notifier | undefined;
  /** Writes a row of that key into the user's table, in the activity's own transaction. */
  writeRow(ctx: ActivityContext, key: string): Promise<void>;
  /** Puts a line at the end of a file, and has done so when it returns. */
  writeLine(file: string, line: string): void;
}

/** Runs the plan that is the process's first argument. Resolves when its app runs. */
export async function serveSoakWorker(parts: SoakWorkerParts): Promise<void> {
  const plan = JSON.parse(process.argv[2] ?? '') as SoakPlan;
  const notifier = parts.createNotifier?.(plan.place);
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.random() * ms));
  const app = new Romancy({
    storage: parts.createStorage(plan.place),
    ...(notifier === undefined ? {} : { notifier }),
    workflows: soakWorkflows({ writeRow: (ctx, key) => parts.writeRow(ctx, key), pause: () => pause(plan.waitMs) }),
    leaseDuration: plan.leaseMs,
    // A part of what a subscriber has received must not be all that it can see.
    maxMessagesPerBatch: 20,
    outbox: {
      async send({ id }) {
        await pause(2);
        if (Math.random() < plan.failShare) throw new Error('503');
        parts.writeLine(plan.sink, id);
      },
      retry: { maxAttempts: 1000, firstDelay: 5, factor: 1.5, maxDelay: 100 },
    },
    logger: sayingLogger,
  });
  await app.start();
  process.stdout.write(`${JSON.stringify({ kind: 'ready' })}\n`);
  // Commands come no more: the channel keeps the process alive until it is killed.
  process.on('message', () => undefined);
}

const say = (level: string) => (message: string, fields?: object) =>
  void process.stderr.write(`${JSON.stringify({ level, message, fields })}\n`);

const sayingLogger: Logger = { debug: () => undefined, info: () => undefined, warn: say('warn'), error: say('error') };
