// Sending needs no new connection for each event.
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { createHttpEventSender, createHttpHandler } from '../src/index.js';
import { toNodeListener } from '../src/node/index.js';
import { recordingApp } from './recording-app.js';
import { listening } from './serve.js';

test.each([202, 404, 503, 302] as const)('answers of %i leave the connection usable', async (status) => {
  let connections = 0;
  const handler = createHttpHandler(recordingApp());
  const answer = async (request: Request): Promise<Response> =>
    status === 202 ? await handler(request) : new Response('x'.repeat(3000), { status });
  const server = createServer(toNodeListener(answer)).on('connection', () => connections++);
  const send = createHttpEventSender({ url: `${await listening(server)}/events` });
  for (let count = 0; count < 50; count++) {
    const sending = send({ id: `e-${count}`, source: '/x', type: 't' });
    if (status === 202) await sending;
    else await expect(sending).rejects.toMatchObject({ status });
  }
  expect(connections).toBeLessThan(5);
});
