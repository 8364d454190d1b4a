// Real servers for tests.
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@romancy/core';
import { afterwards } from '@romancy/test-support';
import { toNodeListener, type WebHandler } from '../src/node/index.js';

/** The address of a server on a free port that is closed, with its connections, when the test ends. */
export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterwards(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function serve(handler: WebHandler, logger?: Pick<Logger, 'error'>): Promise<string> {
  return await serveListener(toNodeListener(handler, logger === undefined ? {} : { logger }));
}

export async function serveListener(listener: RequestListener): Promise<string> {
  return await listening(createServer(listener));
}
