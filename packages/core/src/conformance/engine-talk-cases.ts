// All cases about verbs by which workflows talk: to each other, to the outside, and back again after failure.
import { broadcastCases } from './engine-broadcast-cases.js';
import { cancelCases } from './engine-cancel-cases.js';
import { channelCases } from './engine-channel-cases.js';
import { childCases } from './engine-child-cases.js';
import { eventCases } from './engine-event-cases.js';
import { eventMatchCases } from './engine-event-match-cases.js';
import { familyCases } from './engine-family-cases.js';
import { groupCases } from './engine-group-cases.js';
import { messageCases } from './engine-message-cases.js';
import { outboxCases } from './engine-outbox-cases.js';
import { outboxFailureCases } from './engine-outbox-failure-cases.js';
import { recurCases } from './engine-recur-cases.js';
import { recurMailCases } from './engine-recur-mail-cases.js';
import { sagaCancelCases } from './engine-saga-cancel-cases.js';
import { sagaCases } from './engine-saga-cases.js';
import { sagaCrashCases } from './engine-saga-crash-cases.js';
import type { EngineBench } from './engine-harness.js';

export function talkCases(bench: EngineBench): void {
  eventCases(bench);
  eventMatchCases(bench);
  broadcastCases(bench);
  channelCases(bench);
  groupCases(bench);
  messageCases(bench);
  childCases(bench);
  cancelCases(bench);
  recurCases(bench);
  recurMailCases(bench);
  familyCases(bench);
  sagaCases(bench);
  sagaCancelCases(bench);
  sagaCrashCases(bench);
  outboxCases(bench);
  outboxFailureCases(bench);
}
