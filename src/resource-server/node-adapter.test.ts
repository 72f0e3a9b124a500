import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import express from 'express';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { protectMcp } from './index.ts';
import { startTestIssuer, type TestIssuer } from './issuer.testing.ts';
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

describe('the node adapter', () => {
  it('answers 413 to a body over the limit without reading the rest', async () => {
    const origin = await serve((req, res) => kit().node()(req, res, () => res.end()));
    const token = await issuer.mint(resource);
    const status = await new Promise((resolve, reject) => {
      const { port, hostname } = new URL(origin);
      const headers = { authorization: `Bearer ${token}` };
      const request = httpRequest(
        { port, host: hostname, path: '/mcp', method: 'POST', headers },
        (response) => resolve(response.resume().statusCode),
      );
      // The connection is closed while we still send.
      request.on('error', (error) => setTimeout(reject, 1_000, error));
      request.end('x'.repeat(10_000_000));
    });
    expect(status).toBe(413);
  });

  it('gives later readers the bytes', async () => {
    const protect = kit().node();
    const origin = await serve((req: Parameters<typeof protect>[0], res) =>
      protect(req, res, () => res.end(String(req.rawBody))),
    );
    const token = await issuer.mint(resource);
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${origin}/mcp`, { method: 'POST', headers, body: ' {"id":1} ' });
    expect(await response.text()).toBe(' {"id":1} ');
  });

  it('lets an async failure of the handler reach the caller', async () => {
    const protect = kit().node();
    const failed = Promise.withResolvers<unknown>();
    const origin = await serve((req, res) => {
      protect(req, res, async () => {
        throw new Error('handler');
      }).catch((error: unknown) => {
        failed.resolve(error);
        res.end();
      });
    });
    const authorization = `Bearer ${await issuer.mint(resource)}`;
    await fetch(`${origin}/mcp`, { method: 'POST', headers: { authorization }, body: '{}' });
    expect(String(await failed.promise)).toContain('handler');
  });

  it('reads the stream itself when a parser left {} without reading it', async () => {
    const protect = kit().node();
    const origin = await serve((req, res) =>
      protect(Object.assign(req, { body: {} }), res, () => res.end('dispatched')),
    );
    const authorization = `Bearer ${await issuer.mint(resource)}`;
    const body = toolCall('search_docs');
    const response = await fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: { authorization },
      body,
    });
    expect(response.status).toBe(403);
  });

  it('finds its documents by the original path where Express has cut it', async () => {
    const app = express();
    app.use('/.well-known', kit().express());
    const origin = await serve(app);
    const response = await fetch(`${origin}/.well-known/oauth-protected-resource/mcp`);
    expect(await response.json()).toMatchObject({ resource });
  });

  it('leaves CORS headers alone that the author has set', async () => {
    const protect = kit().node();
    const origin = await serve((req, res) => {
      res.setHeader('access-control-allow-origin', 'https://app.test');
      return protect(req, res, () => res.end());
    });
    const authorization = `Bearer ${await issuer.mint(resource)}`;
    const response = await fetch(`${origin}/mcp`, { headers: { authorization } });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.test');
  });
});
