// How soon a notifier finds out that nothing comes any more, though nobody has said so.
import type { NotifierDuration } from '@romancy/notify-pg';
import { ownRow } from '../measurement.js';
import { pause } from '../pause.js';
import { healthyNotifier } from '../wakeups/healthy-notifier.js';
import { openSilentRelay } from '../wakeups/silent-relay.js';
import { onServer } from './on-server.js';

/** After its last proof; a drop in the moment of the proof would be found this much later. */
const restMs = 100;

export interface PingProfile {
  readonly pingInterval?: NotifierDuration;
  readonly pingTimeout?: NotifierDuration;
}

const fast: PingProfile = { pingInterval: '1s', pingTimeout: '3s' };

export const silentDrop = onServer('silent-drop', async ({ url }, { quick }) => {
  const times = (profile: PingProfile, count: number) =>
    Promise.all(Array.from({ length: count }, () => msUntilFound(url, profile)));
  const [byDefault, inFast] = await Promise.all([times({}, 1), times(fast, quick ? 1 : 3)]);
  const head = (profile: string, seconds: number) =>
    ({
      what: `silent network, until it is found, ${profile}, slowest`,
      unit: 's',
      target: { of: 'romancy', bound: 'at most', value: seconds },
    }) as const;
  const inSeconds = (each: readonly number[]) => each.map((ms) => ms / 1000);
  return [
    ownRow(head('by default', 18), inSeconds(byDefault), (each) => Math.max(...each)),
    ownRow(head('pings every second', 4), inSeconds(inFast), (each) => Math.max(...each)),
  ];
});

/** From the moment from which nothing comes, on any of its sessions, until it is not healthy any more, in milliseconds. */
export async function msUntilFound(url: string, profile: PingProfile): Promise<number> {
  const relay = await openSilentRelay(url);
  let found: () => void = () => undefined;
  const notifier = await healthyNotifier(
    { connectionString: relay.url, channelPrefix: 'romancy_bench_drop', ...profile },
    { onStateChange: (state) => void (state !== 'healthy' && found()) },
  );
  try {
    await pause(restMs);
    const isFound = new Promise<void>((resolve) => (found = resolve));
    relay.swallow('from the server');
    const began = performance.now();
    await isFound;
    return performance.now() - began;
  } finally {
    await notifier.stop();
    await relay.close();
  }
}
