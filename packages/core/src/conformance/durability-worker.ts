// The main program of a worker process of the durability suite: one app, driven by a plan and by commands.
import {
  defineWorkflow,
  InstanceFinishedError,
  Romancy,
  WorkflowFailedError,
  type ActivityContext,
  type AnyWorkflow,
  type Logger,
  type Notifier,
  type Storage,
} from '../index.js';
import type { Effects } from './durability-effects.js';
import { killedAt } from './durability-kill-point.js';
import type { Drive, Note, Outcome, WorkerCommand, WorkerMessage, WorkerPlan } from './durability-plan.js';
import { durabilityWorkflow, eventsOfDrive } from './durability-workflows.js';

// The other program of this entry.
export { serveSoakWorker, type SoakWorkerParts } from './soak-worker.js';

/** What differs between storages. */
export interface DurabilityWorkerParts {
  createStorage(place: string): Storage;
  /** Default: none, by polling. */
  createNotifier?(place: string): Notifier;
  /** Appends to the file of notes, and returns when that survives the process. */
  note(line: string): void;
  /** Inserts a row of that key into the user's table, in the activity's own transaction. */
  writeRow(ctx: ActivityContext, key: string): Promise<void>;
}

/** How long somebody takes to answer what a workflow asks, in milliseconds. */
const answerDelayMs = 15;

/** Runs the plan that is the process's first argument. Resolves when there is nothing left to do but what commands say. */
export async function serveDurabilityWorker(parts: DurabilityWorkerParts): Promise<void> {
  const plan = JSON.parse(process.argv[2] ?? '') as WorkerPlan;
  await new DurabilityWorker(plan, parts).run();
}

class DurabilityWorker {
  readonly #plan: WorkerPlan;
  readonly #workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly #app: Romancy;

  constructor(plan: WorkerPlan, parts: DurabilityWorkerParts) {
    this.#plan = plan;
    const effects: Effects = {
      isHeir: plan.isHeir ?? false,
      note: ({ instanceId, activityId, attempt }) => {
        const note: Note = { pid: process.pid, instanceId, activityId, attempt };
        parts.note(`${JSON.stringify(note)}\n`);
      },
      writeRow: (ctx, key) => parts.writeRow(ctx, key),
      ask: (instanceId, event) => void setTimeout(() => void this.#sendEvent(instanceId, event), answerDelayMs),
    };
    this.#workflows = new Map(plan.workflows.map((name) => [name, durabilityWorkflow(name, effects)]));
    const storage = parts.createStorage(plan.place);
    this.#app = new Romancy({
      storage: plan.kill === undefined ? storage : killedAt(storage, plan.kill),
      ...(parts.createNotifier === undefined ? {} : { notifier: parts.createNotifier(plan.place) }),
      workflows: [...this.#workflows.values()],
      leaseDuration: plan.leaseMs,
      logger: sayingLogger,
    });
  }

  async run(): Promise<void> {
    say({ kind: 'starting' });
    switch (this.#plan.mode) {
      case 'stop-before-start':
        await this.#app.stop();
        await this.#app.start().catch(() => undefined);
        return;
      case 'stop-during-start': {
        const started = this.#app.start().catch(() => undefined);
        await Promise.all([this.#app.stop(), started]);
        return;
      }
      default:
        await this.#app.start();
    }
    process.on('message', (command: WorkerCommand) => void this.#obey(command));
    say({ kind: 'ready', workerId: this.#app.status().workerId });
    if (this.#plan.startMany !== undefined) await this.#startMany(this.#plan.startMany);
    await Promise.all((this.#plan.drives ?? []).map((drive) => this.#driveAndSay(drive)));
  }

  async #startMany({ workflow, prefix, count }: NonNullable<WorkerPlan['startMany']>): Promise<void> {
    const definition = this.#workflows.get(workflow) ?? defineWorkflow(workflow, () => undefined);
    const starts = Array.from({ length: count }, (_, index) => ({ instanceId: `${prefix}${index}` }));
    const outcomes: Record<string, number> = {};
    for (const { outcome } of await this.#app.startMany(definition, starts, { onConflict: 'existing' })) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    say({ kind: 'started-many', outcomes });
  }

  async #obey(command: WorkerCommand): Promise<void> {
    const { ask } = command;
    switch (command.command) {
      case 'drive':
        say({ kind: 'answer', ask, value: await this.#drive(command.drive) });
        break;
      case 'start':
        await Promise.all(command.drives.map((drive) => this.#start(drive)));
        say({ kind: 'answer', ask, value: null });
        break;
      case 'status':
        say({ kind: 'answer', ask, value: this.#app.status() });
        break;
      case 'stop': {
        const began = performance.now();
        await Promise.all(Array.from({ length: command.times }, () => this.#app.stop({ timeout: command.timeoutMs })));
        say({ kind: 'answer', ask, value: performance.now() - began });
        // The channel on which commands come is this program's, not the app's: without it nothing may keep the process alive.
        process.disconnect();
      }
    }
  }

  async #driveAndSay(drive: Drive): Promise<void> {
    say({ kind: 'driven', instanceId: drive.instanceId, outcome: await this.#drive(drive) });
  }

  async #drive(drive: Drive): Promise<Outcome> {
    try {
      const handle = await this.#start(drive);
      if (drive.resend === true) {
        await Promise.all(eventsOfDrive(drive).map((event) => this.#sendEvent(drive.instanceId, event)));
      }
      return { result: await handle.result() };
    } catch (error) {
      return { error: String(error instanceof WorkflowFailedError ? error.cause : error) };
    }
  }

  #start({ instanceId, workflow, input }: Drive) {
    return this.#app.startWorkflow(this.#workflows.get(workflow)!, input, { instanceId, onConflict: 'existing' });
  }

  /** The same event always has the same id: sent by a process that dies and again by the next one, it counts once. */
  async #sendEvent(instanceId: string, event: string): Promise<void> {
    try {
      const id = `${instanceId}/${event}`;
      await this.#app.sendEvent({ type: event, source: '/durability', id, instanceId, data: { to: instanceId.split('/')[0] } });
    } catch (error) {
      if (!(error instanceof InstanceFinishedError)) {
        say({ kind: 'log', level: 'debug', message: 'an event was not sent', fields: { instanceId, error: String(error) } });
      }
    }
  }
}

const sayingLogger: Logger = {
  debug: () => undefined,
  info: (message, fields = {}) => say({ kind: 'log', level: 'info', message, fields }),
  warn: (message, fields = {}) => say({ kind: 'log', level: 'warn', message, fields }),
  error: (message, fields = {}) => say({ kind: 'log', level: 'error', message, fields }),
};

function say(message: WorkerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
