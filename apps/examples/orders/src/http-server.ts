// An HTTP server of this machine, from the first request that it can take to the last.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** Drops the connections that there are; resolves when the port is free. */
  close(): Promise<void>;
}

/** Resolves when it can be called, at a port that was free. */
export async function openHttpServer(listener: RequestListener): Promise<HttpServer> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
