// Shows when the server is asked how full its queue of notes is, and what makes sending pause.
import { ManualClock, recordingLogger, settleTurns } from '@romancy/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, openFake } from '../test/fake-client.js';
import type { OpenSession } from './open-session.js';
import { QueueWatch } from './queue-watch.js';

let clock: ManualClock;
let watch: QueueWatch;
let open: OpenSession;
let paused: number;
let resumed: number;

beforeEach(() => {
  clock = new ManualClock();
  resumed = 0;
  paused = 0;
  const logger = recordingLogger();
  const counted = { onPause: () => void paused++, onResume: () => void resumed++ };
  watch = new QueueWatch({ clock, logger, pingIntervalMs: 15_000, ...counted });
  open = openFake(new FakeClient(), clock);
  expect(watch.question(true)).toBe('usage-if-elected');
});

describe('a queue', () => {
  it('is asked for each 30 s by the process that was elected; another one asks then whether it is', async () => {
    /** When it was asked for, and how, of the nonces of two minutes. */
    const questions = async (): Promise<[at: number, question: string][]> => {
      const asked: [number, string][] = [];
      for (let seconds = 15; seconds <= 120; seconds += 15) {
        await clock.advance('15s');
        const question = watch.question(true);
        if (question === 'nothing') continue;
        asked.push([seconds, question]);
        watch.answered(question === 'usage' ? '0' : answer, open);
      }
      return asked;
    };
    let answer: string | null = null;
    watch.answered(null, open);
    expect(await questions()).toEqual([30, 60, 90, 120].map((at) => [at, 'usage-if-elected']));
    answer = '0';
    expect(await questions()).toEqual([30, 60, 90, 120].map((at) => [at, at === 30 ? 'usage-if-elected' : 'usage']));
    // The lock that elects has gone with the session.
    watch.sessionLost();
    expect(watch.question(true)).toBe('usage-if-elected');
    expect(watch.question(true)).toBe('nothing');
  });

  it('is asked for again after so much was sent, whoever is elected', () => {
    watch.answered(null, open);
    watch.sending(60_000);
    expect(watch.question(true)).toBe('nothing');
    watch.sending(6000);
    expect(watch.question(true)).toBe('usage');
    expect(watch.question(true)).toBe('nothing');
  });

  it('of which the server says by itself that it is half full gets nothing more, until it is asked for and has room', () => {
    watch.onNotice({
      message: 'NOTIFY queue is 50% full',
      detail: 'The server process with PID 4711 is among those with the oldest transactions.',
    });
    expect(watch.paused).toBe(true);
    expect(watch.question(true)).toBe('usage');
    watch.answered('0.3', open);
    expect(watch.paused).toBe(false);
    expect([paused, resumed]).toEqual([1, 1]);
  });

  it('that was half full when the notes were committed is so, though there was room when the same statement asked', () => {
    watch.sending(70_000);
    expect(watch.question(true)).toBe('usage');
    watch.onNotice({ message: 'NOTIFY queue is 50% full', detail: 'The server process with PID 4711 is among those' });
    watch.answered('0.48', open);
    expect([watch.paused, resumed]).toEqual([true, 0]);
    expect(watch.question(true)).toBe('usage');
    watch.answered('0.48', open);
    expect([watch.paused, resumed]).toEqual([false, 1]);
  });

  it('that another process watches is still known to be half full by the one that was told', () => {
    watch.onNotice({ message: 'NOTIFY queue is 50% full' });
    watch.answered(null, open);
    expect([watch.paused, resumed]).toEqual([true, 0]);
  });

  it('is said to fill, and at once that it is half full, each once a minute; with the session that holds it', async () => {
    const clock = new ManualClock();
    const logger = recordingLogger();
    watch = new QueueWatch({ clock, logger, pingIntervalMs: 15_000, onPause: () => undefined, onResume: () => undefined });
    const answer = async (usage: string): Promise<void> => {
      watch.answered(usage, open);
      await settleTurns(2);
    };
    await answer('0.3');
    await answer('0.4');
    watch.onNotice({ message: 'NOTIFY queue is 50% full', detail: 'The server process with PID 4711 is among those' });
    await answer('0.55');
    await answer('0.6');
    const lines = logger
      .at('warn')
      .map(({ message, fields }) => [/filling|half full/.exec(message)?.[0], fields['blocking_pid']]);
    expect(lines).toEqual([
      ['filling', undefined],
      ['half full', 4711],
    ]);
    await clock.advance('1m');
    await answer('0.6');
    expect(logger.at('warn').length).toBe(3);
  });

  it('is not taken for full because of any other word of the server', () => {
    watch.onNotice({ message: 'there is no transaction in progress' });
    watch.onNotice({});
    expect(watch.usage).toBeNull();
  });
});
