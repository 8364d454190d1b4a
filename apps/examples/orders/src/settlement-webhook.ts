// Where the payment service reports settlements: the handler of @romancy/http on a server of this process.
import { silentLogger, type Romancy } from '@romancy/core';
import { createHttpHandler } from '@romancy/http';
import { toNodeListener } from '@romancy/http/node';
import { openHttpServer, type HttpServer } from './http-server.js';

export interface WebhookOptions {
  /** Who does not have it does not get in. */
  readonly token: string;
  /** Told of each report before its event is stored. */
  readonly onSettlement: (instanceId: string) => void;
}

/**
 * An event that was answered with 202 is in the database, whether its workflow waits for it already or not; one that comes again has no
 * effect. When the order has ended, the answer is 409 and says that trying again is of no use.
 */
export async function openSettlementWebhook(romancy: Romancy, { token, onSettlement }: WebhookOptions): Promise<HttpServer> {
  const handle = createHttpHandler(romancy, {
    authenticate: (request) => request.headers.get('authorization') === `Bearer ${token}`,
    logger: silentLogger,
  });
  return await openHttpServer(
    toNodeListener((request) => {
      const instanceId = /^\/instances\/([^/]+)\/events$/.exec(new URL(request.url).pathname)?.[1];
      if (instanceId !== undefined) onSettlement(decodeURIComponent(instanceId));
      return handle(request);
    }),
  );
}
