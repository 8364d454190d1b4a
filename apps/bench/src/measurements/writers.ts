// What notes cost those who commit: 64 writers with and without a notifier that is told of each commit.
import { comparedRow, ownRow } from '../measurement.js';
import { pause } from '../pause.js';
import { startProcess } from '../processes/start-process.js';
import type { NoteListenerSays } from '../processes/note-listener.js';
import type { RawNoteListenerSays } from '../processes/raw-note-listener.js';
import { RawNoteSender } from '../raw/raw-note-sender.js';
import { RawWriters, type WayOfWriting, type Writing } from '../raw/raw-writers.js';
import { mean } from '../statistics.js';
import { countedSender } from '../wakeups/counted-sender.js';
import { openCpuTimes, type CpuTimes } from '../wakeups/cpu-times.js';
import { healthyNotifier } from '../wakeups/healthy-notifier.js';
import { onServer } from './on-server.js';

const count = 64;
/**
 * They write without a pause, and each way has its turn again and again, since this machine changes by tens of percent within a second: many
 * short turns side by side say more than a few long ones.
 */
const turnMs = 200;
/** Before each turn, uncounted: what the way before it has gathered is sent and heard meanwhile. */
const leadMs = 100;
/** So many times as often as the other ways, those two have their turns that are to be told from each other by a few percent. */
const pairsPerOther = 4;

type Way = 'off' | 'on' | 'alone' | 'byHand' | 'inside';
/** Per second; the last three are microseconds of the cores per commit. */
type Rates = Record<Way | 'offBesideOthers' | 'flushes' | 'offCpu' | 'onCpu' | 'noteCpu', number>;

export const writers = onServer('writers', async ({ url, emptySchema }, { rounds, roundMs }) => {
  const schema = await emptySchema('writers');
  const closes: (() => Promise<void>)[] = [];
  /** What was opened last is closed first. */
  const opened = <T>(one: T, close: (one: T) => Promise<void>): T => {
    closes.unshift(() => close(one));
    return one;
  };
  let writing: Writing | null = null;
  try {
    const writers = opened(await RawWriters.connect({ url, schema, count }), (all) => all.close());
    const listener = opened(startProcess<NoteListenerSays>('note-listener', [url, schema]), (one) => one.kill());
    const rawChannel = `${schema}_by_hand`;
    const rawListener = opened(startProcess<RawNoteListenerSays>('raw-note-listener', [url, rawChannel]), (one) => one.kill());
    const byHand = opened(await RawNoteSender.connect(url, rawChannel), (one) => one.close());
    const counted = countedSender(url);
    const notifier = opened(await healthyNotifier({ connect: counted.connect, channelPrefix: schema }), (one) => one.stop());
    const lonelyOptions = { connectionString: url, channelPrefix: `${schema}_lonely` };
    const lonely = opened(await healthyNotifier(lonelyOptions), (one) => one.stop());
    await Promise.all([listener, rawListener].map((process) => process.hear(({ ready }) => ready)));
    const ways: Record<Way, WayOfWriting> = {
      // In the same form as those that tell: one async call more would by itself cost 2 µs of this thread, a fiftieth of a commit.
      off: async (write) => {
        await writers.insert(write);
      },
      on: async (write) => {
        await writers.insert(write);
        notifier.send([{ kind: 'workflow_resumable', instanceId: write.id, workflowName: 'bench_order' }]);
      },
      alone: async (write) => {
        await writers.insert(write);
        lonely.send([{ kind: 'workflow_resumable', instanceId: write.id, workflowName: 'bench_order' }]);
      },
      byHand: async (write) => {
        await writers.insert(write);
        byHand.send(write.id, 'bench_order');
      },
      inside: async (write) => {
        await writers.insertAndNotify(write, `${schema}_workflow_resumable`);
      },
    };
    const cpuTimes = await openCpuTimes(
      url,
      [listener.pid].filter((pid) => pid !== undefined),
    );
    const noTimes: CpuTimes = { all: 0, notes: 0 };
    const atWork = (writing = writers.write(ways.off));
    /** @returns commits, and statements of the sending session, per second; and microseconds of the cores per commit. */
    const turn = async (way: Way): Promise<Record<'commits' | 'flushes' | 'cpu' | 'noteCpu', number>> => {
      atWork.goOnBy(ways[way]);
      await pause(leadMs);
      const now = () => ({ commits: atWork.commits(), flushes: counted.statements(), cpu: cpuTimes?.() ?? noTimes });
      const [before, began] = [now(), performance.now()];
      await pause(turnMs);
      const seconds = (performance.now() - began) / 1000;
      const after = now();
      const commits = after.commits - before.commits;
      return {
        commits: commits / seconds,
        flushes: (after.flushes - before.flushes) / seconds,
        cpu: ((after.cpu.all - before.cpu.all) * 1000) / commits,
        noteCpu: ((after.cpu.notes - before.cpu.notes) * 1000) / commits,
      };
    };
    for (const way of Object.keys(ways) as Way[]) await turn(way);
    const others = Math.max(1, Math.round(roundMs / turnMs));
    const perRound: Rates[] = [];
    for (let round = 0; round < rounds; round++) {
      const rates: Record<keyof Rates, number[]> = {
        off: [],
        on: [],
        alone: [],
        byHand: [],
        inside: [],
        offBesideOthers: [],
        flushes: [],
        offCpu: [],
        onCpu: [],
        noteCpu: [],
      };
      for (let other = 0; other < others; other++) {
        for (let pair = 0; pair < pairsPerOther; pair++) {
          for (const way of inTurn(['off', 'on'] as const, pair)) {
            const { commits, flushes, cpu, noteCpu } = await turn(way);
            rates[way].push(commits);
            rates[way === 'on' ? 'onCpu' : 'offCpu'].push(cpu);
            if (way === 'on') {
              rates.flushes.push(flushes);
              rates.noteCpu.push(noteCpu);
            }
          }
        }
        for (const way of inTurn(['off', 'alone', 'byHand', 'inside'] as const, other)) {
          rates[way === 'off' ? 'offBesideOthers' : way].push((await turn(way)).commits);
        }
      }
      perRound.push(Object.fromEntries(Object.entries(rates).map(([way, each]) => [way, mean(each)])) as Rates);
    }
    // Whoever writes no more, or tells of nothing, would be fast for nothing.
    await atWork.stop();
    if (byHand.heard === 0) throw new Error('notes by hand did not arrive');
    for (const { state } of [notifier, lonely]) if (state !== 'healthy') throw new Error(`a notifier became ${state} meanwhile`);
    if (perRound.some(({ flushes }) => flushes === 0)) throw new Error('the notifier sent nothing');
    const pairs = (way: keyof Rates, beside: keyof Rates) =>
      perRound.map((rates) => ({ romancy: rates[way], raw: rates[beside] }));
    const target = { of: 'ratio', bound: 'at least', value: 0.95 } as const;
    const unit = 'µs of CPU';
    const costs = [
      comparedRow({ what: 'a commit of theirs, told of, beside untold', unit }, pairs('onCpu', 'offCpu')),
      ownRow(
        { what: 'what of that is the sessions of notifiers and the other process', unit },
        perRound.map(({ noteCpu }) => noteCpu),
      ),
    ];
    return [
      comparedRow(
        { what: `${count} writers, told of each commit, beside untold`, unit: 'commits/s', target },
        pairs('on', 'off'),
      ),
      ...(cpuTimes === null ? [] : costs),
      comparedRow(
        { what: `${count} writers, told of each, no other process listens`, unit: 'commits/s' },
        pairs('alone', 'offBesideOthers'),
      ),
      ownRow(
        { what: `${count} writers, notes by hand beside untold`, unit: 'ratio' },
        perRound.map((rates) => rates.byHand / rates.offBesideOthers),
      ),
      ownRow(
        { what: `${count} writers, pg_notify inside beside untold`, unit: 'ratio' },
        perRound.map((rates) => rates.inside / rates.offBesideOthers),
      ),
      ownRow(
        {
          what: 'commits of the sending session meanwhile, largest',
          unit: '1/s',
          target: { of: 'romancy', bound: 'at most', value: 200 },
        },
        perRound.map(({ flushes }) => flushes),
        (rates) => Math.max(...rates),
      ),
    ];
  } finally {
    await writing?.stop().catch(() => undefined);
    for (const close of closes) await close();
  }
});

/** Forwards and backwards by turns. */
function inTurn<T>(ways: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? ways : [...ways].reverse();
}
