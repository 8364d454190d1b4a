// How long the mode of a channel is taken from memory: no longer than a storage keeps it.
import { expect, it } from 'vitest';
import type { ChannelMode } from '../domain/channel.js';
import type { MessageStore } from '../ports/message-store.js';
import { ManualClock } from '../testing/manual-clock.js';
import { ChannelModes } from './channel-modes.js';

function stage() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const modes = new Map<string, ChannelMode>();
  const messages = {
    fixMode: ({ topic, mode }: { readonly topic: string; readonly mode: ChannelMode }) => {
      asked.push(topic);
      if (!modes.has(topic)) modes.set(topic, mode);
      return Promise.resolve(modes.get(topic)!);
    },
  } as unknown as MessageStore;
  return { clock, asked, modes, channels: new ChannelModes(messages, clock) };
}

it('a mode is asked for once, whoever wants which, and again long before the storage may have forgotten it', async () => {
  const { clock, asked, modes, channels } = stage();
  expect(await channels.fix('a', 'competing')).toBe('competing');
  expect(await channels.fix('a', 'broadcast')).toBe('competing');
  expect(asked).toEqual(['a']);
  // It was forgotten a day later, and fixed anew elsewhere.
  modes.set('a', 'direct');
  await clock.advance('23h');
  expect(await channels.fix('a', 'competing')).toBe('direct');
  expect(asked).toEqual(['a', 'a']);
});

it('what nobody asked for longest makes room for others', async () => {
  const { asked, channels } = stage();
  for (let index = 0; index <= 10_000; index++) await channels.fix(`t${index}`, 'broadcast');
  asked.length = 0;
  await channels.fix('t1', 'broadcast');
  await channels.fix('t10000', 'broadcast');
  await channels.fix('t0', 'broadcast');
  expect(asked).toEqual(['t0']);
});
