// Where the payment service calls when a payment is settled: the call becomes an event of the order's workflow.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InstanceFinishedError, InstanceNotFoundError, type Romancy } from '@romancy/core';
import type { Payment } from './payment-client.js';

/** What the payment service reports: the payment, and the instance that asked for it. */
interface Settlement extends Payment {
  readonly instanceId: string;
}

export interface Webhook {
  readonly url: string;
  close(): Promise<void>;
}

/** Resolves when it can be called. `onSettlement` is told of each report before the event is sent. */
export async function openSettlementWebhook(romancy: Romancy, onSettlement: (instanceId: string) => void): Promise<Webhook> {
  const server = createServer((request, response) => {
    receive(romancy, request, onSettlement).then(
      (status) => response.writeHead(status).end(),
      // Whatever it was, the service will try again.
      (error: unknown) => response.writeHead(503).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/payment-settled`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/**
 * When this resolves the event is in the database, whether the workflow waits for it already or not. The payment's id makes a second
 * report of the same settlement one without effect.
 */
async function receive(romancy: Romancy, request: IncomingMessage, onSettlement: (instanceId: string) => void): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { instanceId, ...payment } = JSON.parse(Buffer.concat(chunks).toString()) as Settlement;
  onSettlement(instanceId);
  try {
    await romancy.sendEvent({ type: 'payment.settled', source: '/payment-service', id: payment.id, instanceId, data: payment });
    return 204;
  } catch (error) {
    if (error instanceof InstanceFinishedError) return 204;
    if (error instanceof InstanceNotFoundError) return 410;
    throw error;
  }
}
