// A process with an app whose instances wait for an event, and that tells when one of them comes to its next line.
import { notifiedApp } from '../wakeups/notified-app.js';
import { waiting } from '../wakeups/waiting-workflow.js';
import { endWithParent, tellParent } from './tell-parent.js';

/** That it is healthy; then each instance that went on, by `process.hrtime.bigint()`, which all processes of a machine share. */
export type EventWorkerSays = { readonly ready: true } | { readonly wentOn: string; readonly at: bigint };

const say = (message: EventWorkerSays): void => tellParent(message);

const [url = '', schema = ''] = process.argv.slice(2);
endWithParent();
await notifiedApp({ url, schema, workflows: [waiting((wentOn) => say({ wentOn, at: process.hrtime.bigint() }))] });
say({ ready: true });
