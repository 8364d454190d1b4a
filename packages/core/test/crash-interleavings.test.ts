// Random programs, outcomes in random order, and processes that die at any of their commits: what is durable stays as it was.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mortal, type MortalStorage } from '../src/conformance/engine-mortal-storage.js';
import type { HistoryKind } from '../src/domain/history.js';
import { eventTopic } from '../src/domain/topic.js';
import { Romancy } from '../src/index.js';
import {
  createMemoryDatabase,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  type MemoryDatabase,
} from '../src/testing/index.js';
import { isRacy, programs, workflowOf, type Step, type Trace } from './random-program.js';

interface Crash {
  /** The so-manieth commit of that process. */
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** Entries that stand for nothing that the code is told. */
const silent: ReadonlySet<HistoryKind> = new Set(['timer_set', 'wait_set', 'activity_retry']);

interface Story {
  readonly result: string;
  /** Of each process: what its code came to know, and how much of all that was durable when it died. */
  readonly lives: readonly { readonly traces: readonly Trace[]; readonly durable: number }[];
  readonly database: MemoryDatabase;
}

/** Runs a program to its end through processes that die one after the other; the last one lives. */
async function tell(program: Step, crashes: readonly Crash[], mails: readonly number[]): Promise<Story> {
  const database = createMemoryDatabase();
  const clock = new ManualClock();
  const lives: { traces: Trace[]; durable: number }[] = [];
  const durable = (): number => database.instances.get('i')?.history.filter(({ kind }) => !silent.has(kind)).length ?? 0;
  const apps: Romancy[] = [];
  let tick = 0;
  for (const crash of [...crashes, null]) {
    const traces: Trace[] = [];
    const begin = (): Trace => {
      traces.push([]);
      return traces.at(-1)!;
    };
    const storage: MortalStorage = mortal(createMemoryStorage({ database }));
    const workflow = workflowOf(program, begin);
    const logger = recordingLogger();
    const app = new Romancy({ storage: storage.storage, clock, logger, workflows: [workflow], leaseDuration: '1h' });
    await drive(clock, app.start());
    const { workerId } = app.status();
    if (crash !== null) dieAt(storage, crash);
    const isNew = !database.instances.has('i');
    if (isNew) void app.startWorkflow(workflow, undefined, { instanceId: 'i' }).catch(() => undefined);
    for (;;) {
      await clock.advance(5);
      tick++;
      const instance = database.instances.get('i');
      if (storage.isDead || hasEnded(database)) break;
      if (tick > 4000 || instance?.status === 'stalled') {
        throw new Error(`stuck as ${instance?.status}: ${instance?.error}; ${JSON.stringify(logger.lines)}`);
      }
      // From outside, whoever runs it; where its sender was told nothing, it comes from nobody.
      if (instance !== undefined && mails.includes(tick)) deliver(database, clock, tick);
      // A process that died before the start was committed has started nothing: the next one does.
    }
    lives.push({ traces, durable: durable() });
    if (storage.isDead) database.workers.delete(workerId);
    for (const instance of database.open) {
      if (instance.owner === workerId && storage.isDead)
        Object.assign(instance, { owner: null, status: 'pending', wakeAt: clock.now() });
    }
    if (!storage.isDead) apps.push(app);
    if (hasEnded(database)) break;
  }
  for (const app of apps) await drive(clock, app.stop());
  const { status, output, error } = database.instances.get('i')!;
  if (status !== 'completed') throw new Error(`${status}: ${error}`);
  return { result: JSON.parse(output!) as string, lives, database };
}

function hasEnded(database: MemoryDatabase): boolean {
  return typeof database.instances.get('i')?.finishedAt === 'number';
}

function dieAt(storage: MortalStorage, { at, when }: Crash): void {
  let count = 0;
  const die =
    (point: Crash['when']) =>
    async ({ name }: { readonly name: string }): Promise<void> => {
      if (name !== 'runs.commit' && name !== 'transactions.commit') return;
      if (point === 'before') count++;
      if (count !== at || point !== when) return;
      storage.die();
      await new Promise(() => undefined);
    };
  storage.storage.plan = { before: die('before'), after: die('after') };
}

function deliver(database: MemoryDatabase, clock: ManualClock, tick: number): void {
  const instance = database.instances.get('i')!;
  const type = tick % 2 === 0 ? 'a' : 'b';
  const event = { id: `${tick}`, type, source: 's', subject: undefined, time: null, extensions: {}, data: `${type}${tick}` };
  const mail = { topic: eventTopic(type), messageId: event.id, data: JSON.stringify(event), queued: null };
  instance.mail.push({ number: database.nextNumber(), ...mail });
  instance.attention = true;
  if (instance.owner === null) instance.wakeAt = Math.min(instance.wakeAt ?? Infinity, clock.now());
}

async function drive<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let over = false;
  const ended = (): void => void (over = true);
  promise.then(ended, ended);
  while (!over) await clock.advance(5);
  return await promise;
}

const crash: fc.Arbitrary<Crash> = fc.record({ at: fc.integer({ min: 1, max: 8 }), when: fc.constantFrom('before', 'after') });

/** Without the numbers that tell one run of an activity from another. */
const stripped = (text: string): string => text.replaceAll(/#\d+/g, '');

it('a program comes to the same end through any deaths, and never unlearns what was durable', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      programs,
      fc.array(crash, { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }),
      async (program, crashes, mails) => {
        const { result, lives, database } = await tell(program, crashes, mails);
        const last = lives.at(-1)!.traces.at(-1)!;
        // What was durable at a death is what each later execution comes to know first, value for value, in that order.
        let before: Trace = [];
        for (const { traces, durable } of lives) {
          for (const trace of traces) expect(trace.slice(0, before.length)).toEqual(before.slice(0, trace.length));
          const longest = traces.reduce<Trace>((best, trace) => (trace.length >= best.length ? trace : best), before);
          // At a death right behind the commit of an activity's transaction the code has not heard of it yet.
          expect(longest.length).toBeGreaterThanOrEqual(durable - 1);
          before = longest.slice(0, durable);
        }
        expect(last.slice(0, before.length)).toEqual(before);
        const rows = last.filter((line) => line.includes('=') && database.values.has(line.split('=')[0]!));
        for (const line of rows) expect(database.values.get(line.split('=')[0]!)).toBe(line.split('=')[1]);
        if (isRacy(program)) return;
        const undisturbed = await tell(program, [], []);
        expect(stripped(result)).toBe(stripped(undisturbed.result));
      },
    ),
    { numRuns: 400 },
  );
});
