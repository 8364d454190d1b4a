// One run over the tests of all packages, from source, with one PostgreSQL for all of them.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const source = ['@romancy/source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions: source },
  ssr: { resolve: { conditions: source } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'apps/**/{src,test}/**/*.test.ts'],
    globalSetup: ['packages/test-support/src/global-setup.ts'],
    setupFiles: ['packages/test-support/src/each-file.ts'],
    pool: 'forks',
    // Tests start processes of their own and share a database server: two files at once keep two cores busy.
    maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 20_000,
  },
});
