// The log lines of the contract: one per change, one a minute while it is down.
import { ManualClock, recordingLogger, type RecordingLogger } from '@romancy/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { StateReporter } from './state-reporter.js';

let clock: ManualClock;
let logger: RecordingLogger;
let changes: string[];
let reporter: StateReporter;

beforeEach(() => {
  clock = new ManualClock();
  logger = recordingLogger();
  changes = [];
  reporter = new StateReporter({
    clock,
    logger,
    reconnectDelayMs: 60_000,
    fallbackIntervalMs: 30_000,
    onChange: (state, reason) => changes.push(`${state}: ${reason}`),
  });
});

const lines = () => logger.lines.map(({ level, message, fields }) => [level, message, fields]);

describe('the reporter of states', () => {
  it('says the lines of the contract', () => {
    reporter.started();
    reporter.established('18.4');
    reporter.healthy();
    reporter.lost(new Error('cut'));
    reporter.lost(new Error('cut again'));
    expect(lines()).toEqual([
      ['info', 'PostgreSQL LISTEN/NOTIFY configured', { fallback_interval: '30s', reconnect_delay: '60s' }],
      ['info', 'PostgreSQL LISTEN/NOTIFY connection established', { server_version: '18.4' }],
      ['debug', 'PostgreSQL LISTEN/NOTIFY caught up', {}],
      ['warn', 'LISTEN/NOTIFY connection lost, reconnecting', { error: 'cut', reconnect_delay: '60s' }],
    ]);
    expect(changes).toEqual(['connecting: started', 'catching_up: connected', 'healthy: caught up', 'connecting: cut']);
  });

  it('says a failure at start once, and how it goes on once a minute', async () => {
    reporter.started();
    for (let second = 0; second < 150; second++) {
      reporter.connectFailed(new Error('refused'));
      await clock.advance('1s');
    }
    expect(lines().slice(1)).toEqual([
      ['warn', 'LISTEN/NOTIFY connection failed, retrying', { error: 'refused', reconnect_delay: '60s' }],
      ['warn', 'LISTEN/NOTIFY is still down, polling', summary('60s', 60)],
      ['warn', 'LISTEN/NOTIFY is still down, polling', summary('120s', 120)],
    ]);
    expect(changes).toEqual(['connecting: started']);
    function summary(down_for: string, failed_attempts: number): object {
      return { error: 'refused', reconnect_delay: '60s', state: 'connecting', down_for, failed_attempts };
    }
  });

  it('names transaction pooling, once however often it is found again', async () => {
    reporter.started();
    reporter.undeliverable();
    reporter.undeliverable();
    const [line] = logger.at('warn');
    expect(logger.at('warn').length).toBe(1);
    expect(line!.message).toMatch(/transaction pooling \(PgBouncer/);
    reporter.connectFailed(new Error('refused'));
    reporter.established('18.4');
    expect(changes.map((change) => change.split(':')[0])).toEqual(['connecting', 'undeliverable', 'connecting', 'catching_up']);
  });

  it('says nothing while it is healthy, and nothing after its end', async () => {
    reporter.started();
    reporter.established('18.4');
    reporter.healthy();
    const { length } = logger.lines;
    await clock.advance('1h');
    reporter.stopped();
    expect([logger.lines.length, changes.length, reporter.state, clock.pendingTimers]).toEqual([length, 3, 'stopped', 0]);
  });
});
