// The build that every package shares: ESM only, source maps, nothing bundled that a user installs himself.
import { defineConfig, type Options } from 'tsup';

export function library(entry: Record<string, string>, more: Options = {}) {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    sourcemap: true,
    clean: true,
    splitting: true,
    treeshake: true,
    external: [/^node:/],
    ...more,
  });
}

export function application(entry: Record<string, string>, more: Options = {}) {
  return library(entry, { platform: 'node', ...more });
}
