// A session that is terminated in the moment in which it begins ends neither the process nor the storage.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { StorageUnavailableError } from '@romancy/core/ports';
import { ManualClock, recordingLogger } from '@romancy/core/testing';
import { afterwards } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { createPostgresStorage } from '../src/index.js';

const context = { clock: new ManualClock(), logger: recordingLogger() };

it.each(['connectionString', 'pool'] as const)('ends in an error that passes, with a %s', async (how) => {
  const connectionString = await serverThatCutsAtOnce();
  const pool = how === 'pool' ? new pg.Pool({ connectionString }) : undefined;
  const storage = createPostgresStorage(pool === undefined ? { connectionString } : { pool });
  // What nobody listened to would end the process, and is an error of this file.
  await expect(storage.open(context)).rejects.toBeInstanceOf(StorageUnavailableError);
  await storage.close();
  await pool?.end();
});

/** Says in one packet that the session is ready and that it was terminated. */
async function serverThatCutsAtOnce(): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      const authenticated = message('R', Buffer.from([0, 0, 0, 0]));
      const ready = message('Z', Buffer.from('I'));
      const fields = ['SFATAL', 'C57P01', 'Mterminating connection due to administrator command', ''];
      socket.end(Buffer.concat([authenticated, ready, message('E', Buffer.from(fields.join('\0') + '\0'))]));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => void server.close());
  return `postgres://somebody@127.0.0.1:${(server.address() as AddressInfo).port}/anything`;
}

function message(type: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + content.length);
  return Buffer.concat([Buffer.from(type), length, content]);
}
