import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import { Hono } from 'hono';
import Koa from 'koa';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthInfo, protectMcp } from './index.ts';
import { startTestIssuer, type TestIssuer, testDpopKey } from './issuer.testing.ts';
import { resource, toolCall } from './requests.testing.ts';

let issuer: TestIssuer;
const servers: Server[] = [];

beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(() => issuer.close());
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

const kit = () =>
  protectMcp({
    issuer: issuer.issuer,
    resource,
    scopes: ['read', 'docs'],
    toolScopes: { search_docs: 'docs' },
  });

type Seen = Pick<AuthInfo, 'clientId'>;

/** What every handler below answers: who calls, and the body as it reached the handler. */
const seen = (auth: Seen | undefined, body: unknown) => ({ client: auth?.clientId, body });

type WithAuth = { auth?: Seen; body?: unknown };

const frameworks: Record<string, () => RequestListener> = {
  'node:http': () => {
    const protect = kit().node();
    return (req: IncomingMessage & WithAuth, res) =>
      protect(req, res, () => res.end(JSON.stringify(seen(req.auth, req.body))));
  },
  express: () => {
    const app = express();
    app.use(kit().express());
    app.post('/mcp', (req: express.Request & WithAuth, res) => {
      res.json(seen(req.auth, req.body));
    });
    return app;
  },
  'express after express.json()': () => {
    const app = express();
    app.use(express.json());
    app.use(kit().express());
    app.post('/mcp', (req: express.Request & WithAuth, res) => {
      res.json(seen(req.auth, req.body));
    });
    return app;
  },
  'express before express.json()': () => {
    const app = express();
    app.use(kit().express());
    app.use(express.json());
    app.post('/mcp', (req: express.Request & WithAuth, res) => {
      res.json(seen(req.auth, req.body));
    });
    return app;
  },
  'express with a text parser': () => {
    const app = express();
    app.use(express.text({ type: '*/*' }));
    app.use(kit().express());
    app.post('/mcp', (req: express.Request & WithAuth, res) => {
      res.json(seen(req.auth, req.body));
    });
    return app;
  },
  koa: () => {
    const app = new Koa();
    app.use(kit().koa());
    app.use((ctx) => {
      ctx.body = seen(ctx.state.auth, Reflect.get(ctx.request, 'body'));
    });
    return app.callback();
  },
  hono: () => {
    const app = new Hono<{ Variables: { auth: AuthInfo } }>();
    app.use(kit().hono());
    app.post('/mcp', async (c) => c.json(seen(c.get('auth'), await c.req.json())));
    return getRequestListener(app.fetch);
  },
  'hono after a middleware that read the body': () => {
    const app = new Hono<{ Variables: { auth: AuthInfo } }>();
    app.use(async (c, next) => {
      if (c.req.method === 'POST') await c.req.text();
      await next();
    });
    app.use(kit().hono());
    app.post('/mcp', async (c) => c.json(seen(c.get('auth'), await c.req.json())));
    return getRequestListener(app.fetch);
  },
  fetch: () => {
    const handler = kit().fetch(async (request, auth) =>
      Response.json(seen(auth, await request.json())),
    );
    return getRequestListener(handler);
  },
};

const json = { 'content-type': 'application/json' };

describe.each(Object.entries(frameworks))('the adapter for %s', (_, listener) => {
  const call = async (tool: string, headers: Record<string, string> = {}) => {
    const origin = await serve(listener());
    return fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: { ...json, ...headers },
      body: toolCall(tool),
    });
  };
  const bearer = async (scope = 'read') => ({
    authorization: `Bearer ${await issuer.mint(resource, { scope })}`,
  });

  it('lets a good token through with who calls and the body, readable from any origin', async () => {
    const response = await call('look', await bearer());
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    const { client, body } = JSON.parse(await response.text());
    expect(client).toBe('client');
    const message = typeof body === 'string' ? JSON.parse(body) : body;
    expect(message).toMatchObject({ method: 'tools/call', params: { name: 'look' } });
  });

  it('answers 401 with the challenge', async () => {
    const response = await call('look');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('resource_metadata=');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({ error: 'invalid_token' });
  });

  it('answers 403 before dispatch', async () => {
    const response = await call('search_docs', await bearer());
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('scope="docs"');
  });

  it('serves the metadata and answers preflights', async () => {
    const origin = await serve(listener());
    const prm = await fetch(`${origin}/.well-known/oauth-protected-resource/mcp`);
    expect(await prm.json()).toMatchObject({ resource });
    const preflight = await fetch(`${origin}/mcp`, { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
  });

  it('verifies a DPoP proof against the configured resource, not the Host', async () => {
    const key = await testDpopKey();
    const token = await issuer.mint(resource, { cnf: { jkt: key.thumbprint } });
    const dpop = await key.proof(token, resource);
    expect((await call('look', { authorization: `DPoP ${token}`, dpop })).status).toBe(200);
  });

  it('sees a second Authorization header', async () => {
    const { authorization } = await bearer();
    const origin = new URL(await serve(listener()));
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(
        { port: origin.port, host: origin.hostname, path: '/mcp', method: 'POST' },
        (response) => resolve(response.resume().statusCode),
      );
      request.on('error', reject);
      request.setHeader('authorization', [authorization, authorization]);
      request.end(toolCall('look'));
    });
    expect(status).toBe(400);
  });

  it('does not trust the body of a parser that skipped it', async () => {
    const headers = { ...(await bearer()), 'content-type': 'text/plain; application/json' };
    expect((await call('search_docs', headers)).status).toBe(403);
  });
});
