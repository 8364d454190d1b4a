// Random programs, outcomes in random order, and processes that die at any of their commits: what is durable stays as it was.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { HistoryKind } from '../src/domain/history.js';
import { eventTopic } from '../src/domain/topic.js';
import { createMemoryDatabase, ManualClock, type MemoryDatabase } from '../src/testing/index.js';
import { tellStory, type Crash } from './crashing-story.js';
import { expectUndone, sagaOf, sagas, type Undoing } from './random-saga.js';
import { expectTold, grown, listen, type Seen } from './random-talk.js';
import { isRacy, programs, workflowOf, type Step, type Trace } from './random-program.js';

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
  let traces: Trace[] = [];
  const begin = (): Trace => {
    traces.push([]);
    return traces.at(-1)!;
  };
  await tellStory({
    database,
    clock,
    crashes,
    workflow: () => workflowOf(program, begin),
    onTick(tick) {
      // From outside, whoever runs it; where its sender was told nothing, it comes from nobody.
      if (mails.includes(tick)) deliver(database, clock, tick);
    },
    onLifeOver() {
      lives.push({ traces, durable: durable() });
      traces = [];
    },
  });
  const { status, output, error } = database.instances.get('i')!;
  if (status !== 'completed') throw new Error(`${status}: ${error}`);
  return { result: JSON.parse(output!) as string, lives, database };
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

it(
  'what a program did is undone, and what it said is heard, through any deaths, each once, whether it fails or is cancelled',
  { timeout: 120_000 },
  async () => {
    const counts = new Map<string, number>();
    const seen: Seen = new Map();
    await fc.assert(
      fc.asyncProperty(
        sagas,
        fc.array(crash, { maxLength: 5 }),
        fc.record({
          recurs: fc.nat(2),
          cancelAt: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
          page: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
        }),
        async (program, crashes, { recurs, cancelAt, page }) => {
          const database = createMemoryDatabase();
          const clock = new ManualClock();
          const undoings: Undoing[] = [];
          listen(database, clock.now());
          await tellStory({
            database,
            clock,
            crashes,
            page,
            others: [grown],
            workflow: () => sagaOf(program, { recurs, database, undoings }),
            onTick(tick) {
              const instance = database.instances.get('i')!;
              if (cancelAt === undefined || tick < cancelAt || instance.cancelRequested) return;
              Object.assign(instance, { cancelRequested: true, cancelReason: 'enough', attention: true });
              if (instance.owner === null) instance.wakeAt = clock.now();
            },
          });
          const { status, cancelRequested } = database.instances.get('i')!;
          if (cancelRequested) expect(status).toBe('cancelled');
          expectUndone(database, undoings);
          expectTold(database, seen);
          counts.set(status, (counts.get(status) ?? 0) + (undoings.length > 0 || status === 'completed' ? 1 : 0));
        },
      ),
      { numRuns: 1000 },
    );
    // Each kind was there to be seen: of the rarest there are about twenty, so that none at all is no chance.
    for (const status of ['completed', 'failed', 'cancelled']) expect(counts.get(status), status).toBeGreaterThan(0);
    for (const [what, count] of seen) expect(count, what).toBeGreaterThan(0);
  },
);
