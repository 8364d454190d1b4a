// Makes one JavaScript file of a program and of all that it imports, so that many processes of it start fast.
import { mkdtemp } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { inject } from 'vitest';
import type {} from './provided-context.js';

const compiled = new Map<string, Promise<string>>();

/**
 * The path of a compiled fixture, for `spawnFixture`: a process of it starts in an eighth of the time that the loader for TypeScript
 * takes, and in half of what the modules of its packages take by themselves. Compiled once in each test file; it is removed when the run is over.
 * @param beside programs that it starts by their names: each is compiled too, into the same folder.
 * @param unguarded further ones, which know by themselves when to end.
 */
export function compileFixture(
  file: URL,
  { beside = [], unguarded = [] }: { readonly beside?: readonly URL[]; readonly unguarded?: readonly URL[] } = {},
): Promise<string> {
  const known = compiled.get(file.href);
  if (known !== undefined) return known;
  const compiling = compile([file, ...beside], unguarded);
  compiled.set(file.href, compiling);
  return compiling;
}

async function compile(guarded: readonly [URL, ...URL[]], unguarded: readonly URL[]): Promise<string> {
  const folder = await mkdtemp(join(inject('temporaryRoot'), 'fixture-'));
  // Not by a flag, as for fixtures that are compiled while they run: this one needs no loader, and the guard is TypeScript.
  await bundle(folder, guarded, [fileURLToPath(new URL('./fixture-guard.ts', import.meta.url))]);
  if (unguarded.length > 0) await bundle(folder, unguarded, []);
  const path = fileURLToPath(guarded[0]);
  return join(folder, `${basename(path, extname(path))}.mjs`);
}

async function bundle(folder: string, programs: readonly URL[], injected: string[]): Promise<void> {
  await build({
    entryPoints: programs.map((program) => fileURLToPath(program)),
    outdir: folder,
    entryNames: '[name]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@romancy/source'],
    // The guard's package says that no file of it has side effects; the guard has no other purpose.
    ignoreAnnotations: true,
    inject: injected,
    banner: { js: requireOfNode },
    plugins: [addonsStayWhereTheyAre],
    logLevel: 'silent',
  });
}

/** What is not JavaScript alone, or is looked for by `pg` and need not be there. */
const notJavaScript = /^(better-sqlite3|pg-native|cloudflare:.*)$/;

/** From the folder of the compiled file no package can be found by its name. */
const addonsStayWhereTheyAre: Plugin = {
  name: 'addons-stay-where-they-are',
  setup(building) {
    const seen = Symbol('seen');
    building.onResolve({ filter: notJavaScript }, async ({ path, importer, kind, namespace, resolveDir, pluginData }) => {
      if (pluginData === seen) return undefined;
      const found = await building.resolve(path, { importer, kind, namespace, resolveDir, pluginData: seen });
      return { path: found.errors.length === 0 ? found.path : path, external: true };
    });
  },
};

/** Packages that are CommonJS require what belongs to Node. */
const requireOfNode = `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`;
