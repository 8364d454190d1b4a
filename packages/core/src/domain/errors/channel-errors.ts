// Errors of channels and groups.
import { RomancyError } from './romancy-error.js';

/** A channel has one mode; the first subscription chose it. */
export class ChannelModeConflictError extends RomancyError {
  readonly code = 'CHANNEL_MODE_CONFLICT';
  readonly channel: string;
  /** The mode that the channel has. */
  readonly mode: string;
  /** The mode that was asked for. */
  readonly requested: string;
  constructor(fields: { channel: string; mode: string; requested: string }) {
    super(
      `channel ${JSON.stringify(fields.channel)} is ${fields.mode} and cannot be subscribed to as ${fields.requested}; ` +
        `use its mode, or another channel`,
    );
    this.channel = fields.channel;
    this.mode = fields.mode;
    this.requested = fields.requested;
  }
}

/** `receive` on a channel that the instance is not subscribed to. */
export class NotSubscribedError extends RomancyError {
  readonly code = 'NOT_SUBSCRIBED';
  readonly instanceId: string;
  readonly channel: string;
  constructor(fields: { instanceId: string; channel: string }) {
    super(
      `instance ${JSON.stringify(fields.instanceId)} is not subscribed to channel ${JSON.stringify(fields.channel)}; ` +
        `call ctx.subscribe(${JSON.stringify(fields.channel)}, …) first`,
    );
    this.instanceId = fields.instanceId;
    this.channel = fields.channel;
  }
}
