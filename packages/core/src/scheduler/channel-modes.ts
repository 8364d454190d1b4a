// The modes of channels, remembered: they do not change while anybody may remember them.
import type { ChannelMode } from '../domain/channel.js';
import type { Clock } from '../ports/clock.js';
import type { MessageStore } from '../ports/message-store.js';

/** A storage keeps a mode for a day at least. */
const rememberedMs = 600_000;
const mostRemembered = 10_000;

export class ChannelModes {
  readonly #messages: MessageStore;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly mode: ChannelMode; readonly until: number }>();

  constructor(messages: MessageStore, clock: Clock) {
    this.#messages = messages;
    this.#clock = clock;
  }

  /** The mode that the topic has, which is the given one if it had none. */
  async fix(topic: string, mode: ChannelMode): Promise<ChannelMode> {
    const now = this.#clock.monotonic();
    const known = this.#known.get(topic);
    if (known !== undefined && known.until > now) return known.mode;
    const fixed = await this.#messages.fixMode({ topic, mode });
    this.#known.delete(topic);
    this.#known.set(topic, { mode: fixed, until: now + rememberedMs });
    // The one that was asked for longest ago: a Map keeps the order in which things came.
    if (this.#known.size > mostRemembered) this.#known.delete(this.#known.keys().next().value!);
    return fixed;
  }
}
