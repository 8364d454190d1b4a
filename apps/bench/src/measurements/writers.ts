// What notes cost those who commit: 64 writers with and without a notifier that is told of each commit.
import { comparedRow, ownRow } from '../measurement.js';
import { pause } from '../pause.js';
import { startProcess } from '../processes/start-process.js';
import type { NoteListenerSays } from '../processes/note-listener.js';
import type { RawNoteListenerSays } from '../processes/raw-note-listener.js';
import { RawNoteSender } from '../raw/raw-note-sender.js';
import { RawWriters } from '../raw/raw-writers.js';
import { countedSender } from '../wakeups/counted-sender.js';
import { healthyNotifier } from '../wakeups/healthy-notifier.js';
import { onServer } from './on-server.js';

const count = 64;
/** Each side has so many turns in a round: the machine changes within seconds. */
const turnsPerRound = 8;
/** Between turns, until the notes of the one before are heard. */
const restMs = 50;
/** Before each turn, uncounted: what is gathered in it is sent in the turn, as what is gathered at the end of the turn is sent after it. */
const leadMs = 100;

type Side = 'off' | 'on' | 'byHand' | 'inside';

export const writers = onServer('writers', async ({ url, emptySchema }, { rounds, roundMs }) => {
  const schema = await emptySchema('writers');
  const writing = await RawWriters.connect({ url, schema, count });
  const listener = startProcess<NoteListenerSays>('note-listener', [url, schema]);
  const rawChannel = `${schema}_by_hand`;
  const rawListener = startProcess<RawNoteListenerSays>('raw-note-listener', [url, rawChannel]);
  const byHand = await RawNoteSender.connect(url, rawChannel);
  const counted = countedSender(url);
  const notifier = await healthyNotifier({ connect: counted.connect, channelPrefix: schema });
  try {
    await Promise.all([listener, rawListener].map((process) => process.hear(({ ready }) => ready)));
    const turnMs = roundMs / turnsPerRound;
    const sides: Record<Side, (ms: number) => Promise<number>> = {
      off: (ms) =>
        writing.writeFor(ms, async (write) => {
          await writing.insert(write);
        }),
      on: (ms) =>
        writing.writeFor(ms, async (write) => {
          await writing.insert(write);
          notifier.send([{ kind: 'workflow_resumable', instanceId: write.id, workflowName: 'bench_order' }]);
        }),
      byHand: (ms) =>
        writing.writeFor(ms, async (write) => {
          await writing.insert(write);
          byHand.send(write.id, 'bench_order');
        }),
      inside: (ms) => writing.writeFor(ms, (write) => writing.insertAndNotify(write, `${schema}_workflow_resumable`)),
    };
    const orders: readonly (readonly Side[])[] = [
      ['off', 'on', 'byHand', 'inside'],
      ['inside', 'byHand', 'on', 'off'],
      ['on', 'off', 'inside', 'byHand'],
      ['byHand', 'inside', 'off', 'on'],
    ];
    for (const side of orders[0]!) await sides[side](turnMs);
    const perRound: Record<Side | 'flushes', number>[] = [];
    for (let round = 0; round < rounds; round++) {
      const rates: Record<Side | 'flushes', number[]> = { off: [], on: [], byHand: [], inside: [], flushes: [] };
      for (let turn = 0; turn < turnsPerRound; turn++) {
        for (const side of orders[turn % orders.length]!) {
          await pause(restMs);
          const before = counted.statements();
          const began = performance.now();
          await sides[side](leadMs);
          rates[side].push(await sides[side](turnMs));
          const seconds = (performance.now() - began) / 1000;
          if (side === 'on') rates.flushes.push((counted.statements() - before) / seconds);
        }
      }
      perRound.push({
        off: mean(rates.off),
        on: mean(rates.on),
        byHand: mean(rates.byHand),
        inside: mean(rates.inside),
        flushes: mean(rates.flushes),
      });
    }
    if (byHand.heard === 0) throw new Error('notes by hand did not arrive');
    const beside = (side: Side) => perRound.map((rates) => ({ romancy: rates.on, raw: rates[side] }));
    const target = { of: 'ratio', bound: 'at least', value: 0.95 } as const;
    return [
      comparedRow({ what: `${count} writers, told of each commit, beside untold`, unit: 'commits/s', target }, beside('off')),
      comparedRow({ what: `${count} writers, told of each, beside notes by hand`, unit: 'commits/s' }, beside('byHand')),
      ownRow(
        { what: `${count} writers, notes by hand beside untold`, unit: 'ratio' },
        perRound.map((rates) => rates.byHand / rates.off),
      ),
      comparedRow({ what: `${count} writers, told of each, beside pg_notify inside`, unit: 'commits/s' }, beside('inside')),
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
    await notifier.stop();
    await byHand.close();
    await Promise.all([listener.kill(), rawListener.kill()]);
    await writing.close();
  }
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
