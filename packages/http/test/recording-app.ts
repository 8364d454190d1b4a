// An app that keeps what it is sent, for tests that are about the wire and not about workflows.
import type { CloudEventInput, RomancyStatus } from '@romancy/core';
import type { HttpApp } from '../src/http-handler-options.js';

export interface RecordingApp extends HttpApp {
  readonly events: CloudEventInput[];
  readonly cancelled: { readonly instanceId: string; readonly reason: string | undefined }[];
}

const running: RomancyStatus = {
  state: 'running',
  serviceName: 'test',
  storage: 'none',
  workerId: 'w',
  running: 0,
  storageAvailable: true,
  pollIntervalMs: 1000,
  notifier: null,
  commits: 0,
  claims: 0,
  outbox: null,
};

/** @param overrides what it does otherwise. */
export function recordingApp(overrides: Partial<HttpApp> = {}): RecordingApp {
  const events: CloudEventInput[] = [];
  const cancelled: { readonly instanceId: string; readonly reason: string | undefined }[] = [];
  return {
    events,
    cancelled,
    async sendEvent(event) {
      events.push(event);
      return { eventId: event.id ?? '', duplicate: false, receivers: 1, started: [] };
    },
    async cancel(instanceId, reason) {
      cancelled.push({ instanceId, reason });
    },
    status: () => running,
    ...overrides,
  };
}
