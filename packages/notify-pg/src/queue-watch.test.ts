// Shows when the server is asked how full its queue of notes is, and what makes sending pause.
import { ManualClock, recordingLogger } from '@romancy/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, openFake } from '../test/fake-client.js';
import type { OpenSession } from './open-session.js';
import { QueueWatch } from './queue-watch.js';

let watch: QueueWatch;
let open: OpenSession;
let resumed: number;

beforeEach(() => {
  const clock = new ManualClock();
  resumed = 0;
  watch = new QueueWatch({ clock, logger: recordingLogger(), pingIntervalMs: 15_000, onResume: () => void resumed++ });
  open = openFake(new FakeClient(), clock);
  expect(watch.question(true)).toBe('usage-if-elected');
});

describe('a queue', () => {
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
    expect(resumed).toBe(1);
  });

  it('is not taken for full because of any other word of the server', () => {
    watch.onNotice({ message: 'there is no transaction in progress' });
    watch.onNotice({});
    expect(watch.usage).toBeNull();
  });
});
