import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { httpsServer, throwawayCertificate } from './guarded.testing.ts';
import { createGuardedRequest, type Reach } from './guarded-request.ts';

const now = () => new Date();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function plainServer(handle: RequestListener): Promise<string> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `http://localhost:${typeof address === 'object' ? address?.port : ''}`;
}

const get = { method: 'GET', headers: {} } as const;
const reasonOf = (failed: Promise<unknown>) =>
  failed.then(
    () => 'nothing',
    (error) => error.reason.kind,
  );

describe('the way out to identity providers', () => {
  test.each<[string, Reach, string]>([
    ['http://idp.test/', 'public', 'url'],
    ['http://localhost/', 'public', 'url'],
    ['https://127.0.0.1/', 'public', 'address'],
    ['https://10.0.0.1/', 'public', 'address'],
    ['https://[::1]/', 'public', 'address'],
    ['https://169.254.169.254/', 'private', 'address'],
    ['http://10.0.0.1/', 'private', 'url'],
    ['https://idp.test/', 'loopback', 'url'],
    ['http://10.0.0.1/', 'loopback', 'url'],
    ['http://localhost.evil.test/', 'loopback', 'url'],
    ['http://user:pass@localhost/', 'loopback', 'url'],
    ['file:///etc/passwd', 'loopback', 'url'],
  ])('to %s (%s) MUST NOT be taken', async (url, reach, reason) => {
    const request = createGuardedRequest({ timeoutMs: 500, now });
    expect(await reasonOf(request(url, { ...get, reach }))).toBe(reason);
  });

  test('sends method, headers and body, and gives any status', async () => {
    const url = await plainServer((req, res) => {
      req.pipe(res.writeHead(401, { 'x-method': req.method, 'content-type': 'text/plain' }));
    });
    const request = createGuardedRequest({ timeoutMs: 500, now });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const sent = { method: 'POST', headers, body: 'a=b', reach: 'loopback' } as const;
    const answer = await request(url, sent);
    expect([answer.status, answer.headers.get('x-method'), await answer.text()]).toEqual([
      401,
      'POST',
      'a=b',
    ]);
  });

  test.each<[string, RequestListener]>([
    ['timeout', () => {}],
    ['redirect', (_, res) => res.writeHead(302, { location: 'https://evil.test/' }).end()],
    ['content_encoding', (_, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end('x')],
    ['too_large', (_, res) => res.end(Buffer.alloc(300_000))],
  ])('gives up at %s', async (reason, handle) => {
    const url = await plainServer(handle);
    const request = createGuardedRequest({ timeoutMs: 300, now });
    expect(await reasonOf(request(url, { ...get, reach: 'loopback' }))).toBe(reason);
  });

  test('does not trust a certificate that nobody vouches for', async () => {
    const certificate = await throwawayCertificate();
    const server = await httpsServer(certificate, (_, res) => res.end('hello'));
    closing.push(server.close);
    const url = `https://localhost:${server.port}/`;
    const sent = { ...get, reach: 'loopback' } as const;
    expect(await reasonOf(createGuardedRequest({ timeoutMs: 500, now })(url, sent))).toBe('tls');
    const trusting = createGuardedRequest({ timeoutMs: 500, now, ca: certificate.ca });
    expect(await (await trusting(url, sent)).text()).toBe('hello');
  });
});
