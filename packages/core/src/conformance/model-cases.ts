// Cases: random calls, made on the storage under test and on the memory storage side by side, get the same answers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Storage } from '../ports/index.js';
import { createMemoryDatabase, createMemoryStorage, ManualClock, recordingLogger } from '../testing/index.js';
import { modelCommand } from './model-commands.js';
import { ModelSide, modelStorages } from './model-side.js';
import type { Bench } from './storage-harness.js';

export function modelCases(bench: Bench): void {
  const { seed, modelRuns } = bench.options;
  describe('side by side with the memory storage', () => {
    it(`${modelRuns} random sequences of calls agree on answers and state (seed ${seed})`, async () => {
      const harness = await bench.harness();
      const clock = new ManualClock(harness.fixture.clock === undefined ? {} : { now: harness.fixture.clock.now() });
      const database = createMemoryDatabase();
      const openModel = async (): Promise<Storage> => {
        const storage = createMemoryStorage({ database });
        await storage.open({ clock, logger: recordingLogger() });
        return storage;
      };
      const tests = await Promise.all(Array.from({ length: modelStorages }, () => harness.open()));
      const models = await Promise.all(Array.from({ length: modelStorages }, openModel));
      let runs = 0;
      const property = fc.asyncProperty(
        fc.array(modelCommand, { minLength: 10, maxLength: 40, size: 'max' }),
        async (commands) => {
          const prefix = `m${++runs}-`;
          const tested = new ModelSide({ storages: tests, prefix, pass: (ms) => harness.pass(ms) });
          const model = new ModelSide({ storages: models, prefix, pass: (ms) => clock.advance(ms) });
          try {
            await tested.begin();
            await model.begin();
            for (const command of commands) {
              const expected = await model.run(command);
              expect(await tested.run(command)).toEqual(expected);
            }
            expect(await tested.state()).toEqual(await model.state());
          } finally {
            await tested.end();
            await model.end();
          }
        },
      );
      await fc.assert(property, { seed, numRuns: modelRuns });
    });
  });
}
