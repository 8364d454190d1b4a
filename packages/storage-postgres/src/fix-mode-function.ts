// The function in the database that gives a topic its mode.
import { createFunction } from './create-function.js';
import { lockKey } from './lock-keys.js';
import type { TableNames } from './table-names.js';

/** The function's name. */
export const fixModeFunction = 'fix_mode_1';

/*
 * As a rule the topic has its mode, and nothing is locked or written: that it was asked for is written down once an hour. A mode is forgotten two days after
 * that at the earliest (see purge-functions.ts), so whoever was told of it may remember it for a day.
 *
 * What was queued for a topic without a mode is no backlog when it becomes one that has no queue. A publisher that found no mode holds the lock of the topic and
 * is done before, or waits for it and then reads the mode.
 */

/** To be put into a migration. */
export function createFixModeFunction(t: TableNames): string {
  return createFunction(t, {
    name: fixModeFunction,
    parameters: 'of_topic text, wanted text',
    returns: 'RETURNS text',
    body: `
DECLARE
  fixed text;
  since timestamptz;
BEGIN
  SELECT c.mode, c.used_at INTO fixed, since FROM ${t.channels.text} c WHERE c.topic = of_topic;
  IF FOUND THEN
    IF since > now() - interval '1 hour' THEN
      RETURN fixed;
    END IF;
    UPDATE ${t.channels.text} c SET used_at = now() WHERE c.topic = of_topic RETURNING c.mode INTO fixed;
    -- It may have been forgotten in between.
    IF FOUND THEN
      RETURN fixed;
    END IF;
  END IF;
  PERFORM pg_advisory_xact_lock(${lockKey(t, 'topic', 'of_topic')});
  INSERT INTO ${t.channels.text} (topic, mode, used_at) VALUES (of_topic, wanted, now()) ON CONFLICT (topic) DO NOTHING;
  IF FOUND AND wanted <> 'competing' THEN
    DELETE FROM ${t.queuedMessages.text} q WHERE q.topic = of_topic;
  END IF;
  SELECT c.mode INTO fixed FROM ${t.channels.text} c WHERE c.topic = of_topic;
  RETURN fixed;
END
`,
  });
}
