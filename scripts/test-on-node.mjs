// Runs all tests, or those whose path fits, on another major version of Node, which the npm registry brings, in a copy of this repository
// that is removed afterwards.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [major, ...testArguments] = process.argv.slice(2);
if (major === undefined || !/^\d+$/.test(major))
  throw new Error('Usage: node scripts/test-on-node.mjs MAJOR [arguments of vitest]');

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const place = await mkdtemp(join(tmpdir(), `romancy-node${major}-`));
// Ctrl-C reaches the running command too, which ends; then we clear up as after any other failure.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

/** Runs a command to its end with our terminal; answers its exit code. */
async function run(command, args, options) {
  const child = spawn(command, args, { stdio: 'inherit', shell: process.platform === 'win32', ...options });
  const [code, signal] = await once(child, 'exit');
  if (signal !== null) throw new Error(`${command} ${args.join(' ')} was ended by ${signal}`);
  return code;
}

async function must(command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed with ${code}`);
}

/** Changes one place of a file of the copy. */
async function replace(file, place, text) {
  const before = await readFile(file, 'utf8');
  const after = before.replace(place, text);
  if (after === before) throw new Error(`${file} has nothing that fits ${String(place)}`);
  await writeFile(file, after);
}

try {
  // The platform's package behind the npm package "node": the program and the headers that native addons are built with.
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  await must('npm', ['install', '--prefix', place, '--no-save', '--no-audit', '--no-fund', `${name}@${major}`], { cwd: place });
  const node = join(place, 'node_modules', name);

  const copy = join(place, 'repository');
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: repository });
  for (const file of new Set(listed.toString().split('\0').filter(Boolean))) {
    await cp(join(repository, file), join(copy, file), { verbatimSymlinks: true }).catch((error) => {
      if (error.code !== 'ENOENT') throw error; // deleted, but not yet from the index
    });
  }

  const env = {
    ...process.env,
    NODE_DISABLE_COMPILE_CACHE: '1',
    PATH: `${join(node, process.platform === 'win32' ? '' : 'bin')}${delimiter}${process.env.PATH}`,
    npm_config_nodedir: node,
    // A native addon built for this Node must not be taken for one of another Node, here or in a later installation.
    pnpm_config_side_effects_cache: 'false',
  };
  const options = { cwd: copy, env };
  const pnpm = ['--yes', 'pnpm@12'];
  // Version 12 of the driver is for Node 20: on Node 24.19 and newer it can end the process. Version 13 wants Node 22.
  const lockfile = Number(major) < 22 ? '--frozen-lockfile' : '--no-frozen-lockfile';
  if (Number(major) >= 22)
    await replace(join(copy, 'pnpm-workspace.yaml'), /^ {2}better-sqlite3: .*$/m, '  better-sqlite3: ^13.2.0');
  await must('npx', [...pnpm, 'install', lockfile], options);
  await must('npx', [...pnpm, 'run', 'build', '--output-logs=errors-only'], options);
  await must('node', ['--version'], options);
  process.exitCode = await run('npx', [...pnpm, 'exec', 'vitest', 'run', ...testArguments], options);
} finally {
  await rm(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
