// The names of the channels of one install, made from its prefix.
import { ConfigurationError } from '@romancy/core/ports';

/** What stands behind the prefix. The first four are the published contract; the others are between processes of Romancy. */
const suffixes = Object.freeze({
  workflow_resumable: '_workflow_resumable',
  timer_expired: '_timer_expired',
  channel_message: '_channel_message',
  outbox_pending: '_outbox_pending',
  workflow_finished: '_workflow_finished',
  workflow_claimed: '_workflow_claimed',
  worker_busy: '_worker_busy',
  /** A note that says no more than that there may be work of any kind. */
  everything: '_look_at_everything',
  /** Nonces: what one process sends to itself, to see that it arrives. */
  ping: '_ping',
});

/** What a note can be about: the kinds of wake-ups, and the two that this package adds. */
export type NoteKind = keyof typeof suffixes;

export type ChannelNames = Readonly<Record<NoteKind, string>>;

/** PostgreSQL's NAMEDATALEN less one: LISTEN cuts a longer name without a word, and pg_notify refuses it. */
export const longestNameBytes = 63;

const longestSuffix = Math.max(...Object.values(suffixes).map((suffix) => suffix.length));

/** The longest prefix that leaves room for the longest channel, in bytes of UTF-8. */
export const longestPrefixBytes = longestNameBytes - longestSuffix;

/** @throws ConfigurationError when the prefix is empty, cannot be sent as text, or makes a name too long. */
export function channelNames(prefix: string): ChannelNames {
  const fits = typeof prefix === 'string' && prefix !== '' && Buffer.byteLength(prefix) <= longestPrefixBytes;
  // NUL ends a text in PostgreSQL; half a surrogate pair would arrive as another character.
  if (!fits || prefix.includes('\0') || Buffer.from(prefix).toString() !== prefix) {
    throw new ConfigurationError(
      `createPgNotifier: channelPrefix is ${JSON.stringify(prefix)}; it takes a text of 1 to ${longestPrefixBytes} bytes, since names of ` +
        `channels have at most ${longestNameBytes} bytes and the longest ends in ${longestSuffix} of its own`,
      { option: 'channelPrefix' },
    );
  }
  const names = Object.entries(suffixes).map(([kind, suffix]) => [kind, prefix + suffix]);
  return Object.freeze(Object.fromEntries(names) as Record<NoteKind, string>);
}

/** A name as an identifier in SQL, whatever is in it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
