// Starts a PgBouncer in transaction mode before a database, where the machine has one.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterwards, eventually, freePort, temporaryDirectory } from '@romancy/test-support';

const program = process.env['ROMANCY_TEST_PGBOUNCER'] ?? 'pgbouncer';

/** Whether there is a PgBouncer to start: on the path, or where ROMANCY_TEST_PGBOUNCER says. */
export const hasPgBouncer = spawnSync(program, ['--version']).status === 0;

/** @returns a connection string that leads through a PgBouncer with that many connections to the server, of which no client keeps one. */
export async function startPgBouncer(url: string, serverConnections: number): Promise<string> {
  const { username, password, hostname, port: serverPort, pathname } = new URL(url);
  const folder = await temporaryDirectory();
  const port = await freePort();
  const name = pathname.slice(1);
  await writeFile(join(folder, 'users.txt'), `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
  await writeFile(
    join(folder, 'pgbouncer.ini'),
    [
      '[databases]',
      `${name} = host=${hostname} port=${serverPort} dbname=${name}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = trust',
      `auth_file = ${join(folder, 'users.txt')}`,
      'pool_mode = transaction',
      'max_client_conn = 500',
      `default_pool_size = ${serverConnections}`,
    ].join('\n'),
  );
  // It refuses to run as root, and its user must be able to read this.
  await chmod(folder, 0o755);
  const asUser = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child: ChildProcess = spawn(program, [...asUser, join(folder, 'pgbouncer.ini')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += String(chunk)));
  child.stderr?.on('data', (chunk) => (output += String(chunk)));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  afterwards(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await eventually(() => {
    if (child.exitCode !== null) throw new Error(`PgBouncer did not start:\n${output}`);
    return answers(port);
  });
  const bounced = new URL(url);
  bounced.hostname = '127.0.0.1';
  bounced.port = String(port);
  return bounced.href;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
