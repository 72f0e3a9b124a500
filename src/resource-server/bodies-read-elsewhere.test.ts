import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import express from 'express';
import Koa from 'koa';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { protectMcp, type TestIssuer, testIssuer } from './index.ts';
import { resource, toolCall } from './requests.testing.ts';

let issuer: TestIssuer;
let authorization: string;
const servers: Server[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  issuer = await testIssuer({ resource, scopes: ['read', 'docs'] });
  authorization = `Bearer ${await issuer.testToken({ scopes: ['read'] })}`;
});
afterEach(async () => {
  errors.length = 0;
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const kit = () =>
  protectMcp({
    ...issuer.options,
    toolScopes: { search_docs: 'docs' },
    onError: (error) => errors.push(error),
  });

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** Sends a call without its scope; `fetch` would send no body with GET. */
async function send(listener: RequestListener, method: string, body = toolCall('search_docs')) {
  const port = await serve(listener);
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const headers = {
      authorization,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const request = httpRequest({ port, path: '/mcp', method, headers }, async (response) => {
      let text = '';
      for await (const piece of response) text += piece;
      resolve({ status: response.statusCode, text });
    });
    request.on('error', reject);
    request.end(body);
  });
}

const echo: express.RequestHandler = (req, res) => {
  res.send(`dispatched ${JSON.stringify(req.body)}`);
};

describe('what a later handler takes for the body MUST have been judged', () => {
  it.each(['GET', 'HEAD', 'DELETE', 'PUT'])(
    'with %s, where a parser comes after',
    async (method) => {
      const app = express();
      app.use(kit().express(), express.json());
      app.all('/mcp', echo);
      expect((await send(app, method)).status).toBe(403);
    },
  );

  it('where somebody has put a body on a request that has none', async () => {
    const app = express();
    app.use((req, _res, next) => {
      req.body = JSON.parse(toolCall('search_docs'));
      next();
    });
    app.use(kit().express());
    app.all('/mcp', echo);
    expect(await send(app, 'POST', '')).toEqual({ status: 200, text: 'dispatched undefined' });
  });

  it('where an earlier reader kept it to itself: closed with 500, and the author hears why', async () => {
    const app = express();
    app.use(async (req, _res, next) => {
      for await (const _piece of req);
      next();
    });
    app.use(kit().express());
    app.all('/mcp', echo);
    expect((await send(app, 'POST')).status).toBe(500);
    expect(String(errors)).toContain('body');

    const koa = new Koa();
    koa.use(async (ctx, next) => {
      for await (const _piece of ctx.req);
      await next();
    });
    koa.use(kit().koa());
    koa.use((ctx) => {
      ctx.body = 'dispatched';
    });
    expect((await send(koa.callback(), 'POST')).status).toBe(500);
  });
});

it('a GET without a body is not read, so that its close still means that the client has gone', async () => {
  const protect = kit().node();
  const port = await serve((req, res) =>
    protect(req, res, () => res.end(String(req.readableDidRead))),
  );
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, { headers: { authorization } });
  expect(await response.text()).toBe('false');
});
