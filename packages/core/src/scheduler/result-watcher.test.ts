// Waiting for ends: at once for what ends here, with one query for all the rest, at growing intervals.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { StorageUnavailableError } from '../domain/errors.js';
import type { FinishedInstance, InstanceStore } from '../ports/instance-store.js';
import { ManualClock, recordingLogger, seededEntropy, settleTurns } from '../testing/index.js';
import { ResultWatcher } from './result-watcher.js';
import { StorageHealth } from './storage-health.js';
import { WakeupHub } from './wakeup-hub.js';

let clock: ManualClock;
let hub: WakeupHub;
let watcher: ResultWatcher;
/** What the database says; and the questions that it was asked, with their times. */
let ended: Set<string>;
let looks: { readonly at: number; readonly ids: readonly string[] }[];
let runningHere: Set<string>;
let isDown: boolean;
let longestDelayMs: number;

beforeEach(() => {
  clock = new ManualClock({ now: 0 });
  hub = new WakeupHub();
  ended = new Set();
  looks = [];
  runningHere = new Set();
  isDown = false;
  longestDelayMs = 1000;
  const finished = async (ids: readonly string[]): Promise<readonly FinishedInstance[]> => {
    looks.push({ at: clock.monotonic(), ids });
    if (isDown) throw new StorageUnavailableError('away');
    return ids.filter((id) => ended.has(id)).map(end);
  };
  watcher = new ResultWatcher({
    instances: { finished } as unknown as InstanceStore,
    health: new StorageHealth({ clock, entropy: seededEntropy(1), logger: recordingLogger(), description: 'a test' }),
    clock,
    hub,
    longestDelayMs: () => longestDelayMs,
    runsHere: (instanceId) => runningHere.has(instanceId),
  });
});

function end(instanceId: string): FinishedInstance {
  return { instanceId, status: 'completed', output: '1', error: null, cancelReason: null, continuedAs: null };
}

describe('a result watcher', () => {
  it('looks at once, then at growing intervals up to the longest', async () => {
    const result = watcher.wait('a');
    await clock.advance(4000);
    expect(looks.map(({ at }) => at)).toEqual([0, 25, 75, 175, 375, 775, 1575, 2575, 3575]);
    ended.add('a');
    await clock.advance(1000);
    expect(await result).toEqual(end('a'));
    expect(clock.pendingTimers).toBe(0);
  });

  it('asks for all who wait with one question', async () => {
    const results = Promise.all(Array.from({ length: 200 }, (_, index) => watcher.wait(`i${index % 100}`)));
    await settleTurns(3);
    expect(looks).toHaveLength(1);
    expect(looks[0]!.ids).toHaveLength(100);
    for (let index = 0; index < 100; index++) ended.add(`i${index}`);
    await clock.advance(25);
    expect((await results).map(({ instanceId }) => instanceId)).toEqual(
      Array.from({ length: 200 }, (_, index) => `i${index % 100}`),
    );
    expect(looks).toHaveLength(2);
  });

  it('does not ask for what runs here, and hears of its end at once', async () => {
    runningHere.add('a');
    const result = watcher.wait('a');
    await clock.advance('1m');
    expect(looks).toEqual([]);
    hub.emit('finished', end('a'));
    expect(await result).toEqual(end('a'));
  });

  it('asks again when a run left this process without an end', async () => {
    runningHere.add('a');
    const result = watcher.wait('a');
    await settleTurns(2);
    runningHere.delete('a');
    hub.emit('left', 'a');
    ended.add('a');
    await clock.advance(25);
    expect(await result).toEqual(end('a'));
  });

  it('looks at once, and only for the one, when an end elsewhere is told', async () => {
    const result = watcher.wait('a');
    void watcher.wait('b').catch(() => undefined);
    await clock.advance(2000);
    ended.add('a');
    const before = looks.length;
    hub.emit(
      'wakeups',
      [
        { kind: 'workflow_finished', instanceId: 'stranger' },
        { kind: 'workflow_resumable', instanceId: 'b', workflowName: 'w' },
        { kind: 'workflow_finished', instanceId: 'a' },
      ],
      'elsewhere',
    );
    await settleTurns(3);
    expect(looks.slice(before).map(({ ids }) => ids)).toEqual([['a']]);
    expect(await result).toEqual(end('a'));
  });

  it('asks nothing when the end is told of one that runs here', async () => {
    runningHere.add('a');
    const result = watcher.wait('a');
    await settleTurns(3);
    hub.emit('wakeups', [{ kind: 'workflow_finished', instanceId: 'a' }], 'elsewhere');
    await settleTurns(3);
    expect(looks).toEqual([]);
    hub.emit('finished', end('a'));
    expect(await result).toEqual(end('a'));
  });

  it('comes to all of thousands, though one question takes a thousand', async () => {
    const waiting = Array.from({ length: 3500 }, (_, index) => watcher.wait(`i${index}`));
    // The last of them ends; all before it go on.
    ended.add('i3499');
    await clock.advance('10s');
    for (const { ids } of looks) expect(ids.length).toBeLessThanOrEqual(1000);
    expect(new Set(looks.flatMap(({ ids }) => ids)).size).toBe(3500);
    expect(await waiting[3499]).toEqual(end('i3499'));
    const after = looks.length;
    await clock.advance('10s');
    const later = new Set(looks.slice(after).flatMap(({ ids }) => ids));
    expect(later.size).toBe(3499);
    for (const one of waiting) one.catch(() => undefined);
    await watcher.stop(new Error('over'));
  });

  it('looks more often from now on, and not once only, when the longest interval has become shorter', async () => {
    longestDelayMs = 30_000;
    const result = watcher.wait('a');
    await clock.advance('5m');
    longestDelayMs = 1000;
    watcher.hurry();
    const before = looks.length;
    await clock.advance(5000);
    expect(looks.length - before).toBe(5);
    ended.add('a');
    await clock.advance(1000);
    expect(await result).toEqual(end('a'));
  });

  it('gives up for who gives up, and goes on for the others', async () => {
    const impatient = new AbortController();
    const reason = new Error('too long');
    const [one, other] = [watcher.wait('a', impatient.signal), watcher.wait('a')];
    await settleTurns(2);
    impatient.abort(reason);
    await expect(one).rejects.toBe(reason);
    ended.add('a');
    await clock.advance(25);
    expect(await other).toEqual(end('a'));
    const asked = looks.length;
    await expect(watcher.wait('b', AbortSignal.abort(reason))).rejects.toBe(reason);
    await clock.advance('1m');
    expect(looks).toHaveLength(asked);
  });

  it('leaves no listener at the signals of those who had their answer', async () => {
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    ended.add('a');
    const result = watcher.wait('a', signal);
    await clock.advance(0);
    await result;
    expect(removed).toHaveBeenCalledTimes(1);
  });

  it('goes on after an outage', async () => {
    isDown = true;
    const result = watcher.wait('a');
    await clock.advance('10s');
    isDown = false;
    ended.add('a');
    await clock.advance('6s');
    expect(await result).toEqual(end('a'));
  });

  it('stopped rejects everybody, those too who come later, and leaves no timer', async () => {
    const waiting = [watcher.wait('a'), watcher.wait('a'), watcher.wait('b')].map((one) => one.catch((error: unknown) => error));
    await clock.advance(100);
    const reason = new Error('stopped');
    await watcher.stop(reason);
    expect(await Promise.all(waiting)).toEqual([reason, reason, reason]);
    await expect(watcher.wait('c')).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
    expect(hub.listenerCount('finished') + hub.listenerCount('left')).toBe(0);
  });
});
