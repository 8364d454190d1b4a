// The workflow by hand: the same steps with the same payloads, each committed before the next begins.
import { randomUUID } from 'node:crypto';
import { stepNames, takeStep, type OrderInput, type StepOutput } from '../workload.js';
import type { RawStore } from './raw-store.js';

export async function runRawWorkflow(store: RawStore, input: OrderInput): Promise<StepOutput> {
  const instanceId = randomUUID();
  await store.start(instanceId, JSON.stringify(input));
  for (let index = 0; ; index++) {
    const name = stepNames[index]!;
    const output = await takeStep(name, input);
    const data = JSON.stringify(output);
    const row = { instanceId, seq: index + 1, name, data };
    if (index === stepNames.length - 1) {
      await store.lastStep(row, data);
      return output;
    }
    await store.step(row);
  }
}
