// The handler in the frameworks that people have, each as its README shows it.
import { createServer } from 'node:http';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterwards } from '@romancy/test-support';
import { describe, expect, test } from 'vitest';
import { createHttpHandler } from '../src/index.js';
import { toNodeListener } from '../src/node/index.js';
import { collect, startCollectingApp } from './collecting-app.js';
import { plainEvent } from './requests.js';
import { listening } from './serve.js';
import type { Romancy } from '@romancy/core';

/** Each gives the address of its server; Romancy's routes are below `/romancy`, and `/own` is the framework's. */
const servers: Readonly<Record<string, (romancy: Romancy) => Promise<string>>> = {
  async 'node:http'(romancy) {
    const listener = toNodeListener(createHttpHandler(romancy, { basePath: '/romancy' }));
    return await listening(createServer((req, res) => (req.url === '/own' ? res.end('own') : listener(req, res))));
  },

  async 'Hono, mounted'(romancy) {
    const app = new Hono();
    app.get('/own', (c) => c.text('own'));
    app.mount('/romancy', createHttpHandler(romancy));
    return await listening(createServer(toNodeListener(app.fetch)));
  },

  async 'Hono, routed'(romancy) {
    const handler = createHttpHandler(romancy, { basePath: '/romancy' });
    const app = new Hono();
    app.get('/own', (c) => c.text('own'));
    app.all('/romancy/*', (c) => handler(c.req.raw));
    return await listening(createServer(toNodeListener(app.fetch)));
  },

  async 'Express 5'(romancy) {
    const app = express();
    app.use('/romancy', toNodeListener(createHttpHandler(romancy)));
    app.use(express.json());
    app.get('/own', (_req, res) => void res.send('own'));
    return await listening(createServer(app));
  },

  async 'Fastify 5'(romancy) {
    const app = fastify({ forceCloseConnections: true });
    const listener = toNodeListener(createHttpHandler(romancy, { basePath: '/romancy' }));
    await app.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
      scope.all('/romancy/*', (request, reply) => {
        reply.hijack();
        listener(request.raw, reply.raw);
      });
    });
    app.get('/own', async () => 'own');
    afterwards(() => app.close());
    return await app.listen({ port: 0, host: '127.0.0.1' });
  },
};

describe.each(Object.keys(servers))('%s', (name) => {
  async function start(): Promise<{ readonly url: string; readonly app: Romancy }> {
    const { app } = await startCollectingApp();
    return { app, url: await servers[name]!(app) };
  }

  test('an event reaches its workflow, in each mode', async () => {
    const { app, url } = await start();
    const run = await app.startWorkflow(collect, { type: 'thing.happened', count: 4 }, { instanceId: 'one' });
    const events = `${url}/romancy/instances/one/events`;
    const send = async (body: BodyOf, headers: Readonly<Record<string, string>>): Promise<number> =>
      (await fetch(events, { method: 'POST', body, headers: { ...headers } })).status;
    const binary = { 'ce-specversion': '1.0', 'ce-source': '/tests', 'ce-type': 'thing.happened' };
    const type = 'content-type';
    expect(await send(JSON.stringify({ ...plainEvent, data: { a: 1 } }), { [type]: 'application/cloudevents+json' })).toBe(202);
    expect(await send('{"a":2}', { ...binary, 'ce-id': 'e-2', [type]: 'application/json' })).toBe(202);
    expect(await send('grüße', { ...binary, 'ce-id': 'e-3', [type]: 'text/plain' })).toBe(202);
    const batch = [{ ...plainEvent, id: 'e-4', data: [4] }];
    expect(await send(JSON.stringify(batch), { [type]: 'application/cloudevents-batch+json' })).toBe(202);
    expect((await run.result()).map(({ data }) => data)).toEqual([{ a: 1 }, { a: 2 }, 'grüße', [4]]);
  });

  test('a cancellation is heard', async () => {
    const { app, url } = await start();
    const run = await app.startWorkflow(collect, { type: 'x', count: 1 }, { instanceId: 'one' });
    const body = JSON.stringify({ reason: 'enough' });
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${url}/romancy/instances/one/cancel`, { method: 'POST', body, headers })).status).toBe(202);
    await expect(run.result()).rejects.toMatchObject({ reason: 'enough' });
  });

  test('errors, limits and health come through, and the routes beside are the framework’s', async () => {
    const { url } = await start();
    const headers = { 'content-type': 'application/cloudevents+json' };
    const post = (body: string): Promise<Response> => fetch(`${url}/romancy/events`, { method: 'POST', body, headers });
    const malformed = await post('{');
    expect([malformed.status, await malformed.json()]).toEqual([
      400,
      { error: 'the body is no JSON', error_type: 'INVALID_EVENT', retryable: false },
    ]);
    expect((await post(`"${'x'.repeat(2 * 1024 * 1024)}"`)).status).toBe(413);
    // Above the frameworks' own limits, and below the handler's.
    expect((await post(JSON.stringify({ ...plainEvent, data: 'x'.repeat(1_000_000) }))).status).toBe(202);
    const wrong = await fetch(`${url}/romancy/events`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await fetch(`${url}/romancy/live`)).status).toBe(200);
    expect((await fetch(`${url}/romancy/ready`)).status).toBe(200);
    expect((await fetch(`${url}/romancy/nothing`)).status).toBe(404);
    expect(await (await fetch(`${url}/own`)).text()).toBe('own');
  });
});

type BodyOf = string;
