// `recur`: what an instance begins anew with, checked.
import { validate } from '../../authoring/standard-schema.js';
import type { ContextHost } from '../context-host.js';
import { handled } from '../handled.js';
import { refuseInsideActivity } from '../nested-calls.js';
import { encodePayload } from '../payload.js';

/** Rejects when the input is refused; never resolves otherwise: the code's run is over. */
export function recur(run: ContextHost, input: unknown): Promise<never> {
  refuseInsideActivity('recur');
  return handled(beginAnew(run, input));
}

async function beginAnew(run: ContextHost, input: unknown): Promise<never> {
  const { services, workflow } = run;
  const what = `the input of workflow ${workflow.name}`;
  const given = services.codec.decode(encodePayload(input, what, services));
  const schema = workflow.options.input;
  // Without a schema nothing is awaited: what the code would do behind the call is not done.
  const valid: unknown = schema === undefined ? given : await validate(schema, given, `input of workflow ${workflow.name}`);
  run.recur(encodePayload(valid, what, services));
  // One for each: what waits for a promise lives as long as that does.
  return await new Promise<never>(() => undefined);
}
