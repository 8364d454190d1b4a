// Long runs of the same packages with the same set-up; they are started by hand, not by CI.
import { defineConfig } from 'vitest/config';
import { resolution, shared, withServer } from './vitest.config.js';

export default defineConfig({
  ...resolution,
  test: {
    ...shared,
    ...withServer,
    include: ['packages/*/{src,test}/**/*.soak.ts', 'apps/**/{src,test}/**/*.soak.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    fileParallelism: false,
    passWithNoTests: true,
  },
});
