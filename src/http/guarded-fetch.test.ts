import type { RequestListener } from 'node:http';
import { createGzip } from 'node:zlib';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpsServer, sink, type TestServer, throwawayCertificate } from './guarded.testing.ts';
import { GuardedFetchError } from './guarded-error.ts';
import { createGuardedFetch, type GuardedFetchOptions } from './guarded-fetch.ts';

import { newTraceId, type RequestContext, withRequestContext } from './request-context.ts';
import { createSite } from './site.ts';

type Certificate = Awaited<ReturnType<typeof throwawayCertificate>>;

let certificate: Certificate;
let server: TestServer;
let handle: RequestListener;
const opened: TestServer[] = [];

beforeAll(async () => {
  certificate = await throwawayCertificate();
  server = await httpsServer(certificate, (request, response) => handle(request, response));
});
afterAll(() => server.close());
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const raw = (json: unknown) => json;

function fetcher(options: Partial<GuardedFetchOptions> = {}) {
  return createGuardedFetch({
    allowPrivateAddresses: true,
    timeoutMs: 1500,
    now: () => new Date(),
    failureFloorMs: 0,
    ca: certificate.ca,
    resolve: async () => ['127.0.0.1'],
    ...options,
  });
}

const here = (path = '/client.json') => `https://client.test:${server.port}${path}`;

async function failure(work: Promise<unknown>): Promise<GuardedFetchError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GuardedFetchError)) throw new Error('it did not fail as it should');
  return error;
}

function contextOf(ip: string): RequestContext {
  const log = pino({ enabled: false });
  const site = createSite('https://as.test');
  return { traceId: newTraceId(), ip, userAgent: '', log, receivedAt: new Date(), site };
}

const reasonFor = async (options: Partial<GuardedFetchOptions> = {}, url = here()) =>
  (await failure(fetcher(options)(url, { read: raw }))).reason;

const answer =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  };

describe('a document that is there', () => {
  it('is fetched over https with its headers, asking for JSON and no encoding', async () => {
    let seen: Record<string, unknown> = {};
    handle = (request, response) => {
      seen = { ...request.headers, url: request.url };
      answer('{"a":1}', { 'cache-control': 'max-age=60' })(request, response);
    };
    const fetched = await fetcher()(here('/a?b=c'), { read: raw });
    expect(fetched.json).toEqual({ a: 1 });
    expect(fetched.headers['cache-control']).toBe('max-age=60');
    expect(seen).toMatchObject({
      url: '/a?b=c',
      host: `client.test:${server.port}`,
      accept: 'application/json',
      'accept-encoding': 'identity',
    });
    expect(seen).not.toHaveProperty('cookie');
  });

  it.each([
    'application/json; charset=utf-8',
    'application/client-metadata+json',
    'Application/JSON',
  ])('passes as %s', async (type) => {
    handle = answer('{}', { 'content-type': type });
    await expect(fetcher()(here(), { read: raw })).resolves.toMatchObject({ json: {} });
  });

  it('is handed to its reader, whose refusal is a failure like any other', async () => {
    handle = answer('{"client_id":"other"}');
    const error = await failure(
      fetcher()(here(), {
        read: () => {
          throw new Error('client_id differs');
        },
      }),
    );
    expect(error.reason).toEqual({ kind: 'document', problem: 'client_id differs' });
  });
});

describe('CI03, CI04: special-use addresses MUST NOT be contacted', () => {
  it.each([
    'https://127.0.0.1:PORT/a',
    'https://[::1]:PORT/a',
    'https://0.0.0.0:PORT/a',
    'https://[::ffff:7f00:1]:PORT/a',
    'https://10.0.0.1:PORT/a',
    'https://100.64.0.1:PORT/a',
    'https://169.254.169.254:PORT/a',
    'https://[fd00::1]:PORT/a',
    'https://[fe80::1]:PORT/a',
    'https://[64:ff9b::a9fe:a9fe]:PORT/a',
  ])('%s', async (pattern) => {
    const trap = await sink();
    opened.push(trap);
    const url = pattern.replace('PORT', String(trap.port));
    const { kind } = await reasonFor({ allowPrivateAddresses: false }, url);
    expect(kind).toBe('address');
    expect(trap.contacts()).toBe(0);
  });

  it.each(['https://0x7f.1:PORT/a', 'https://2130706433:PORT/a', 'https://0177.0.0.1:PORT/a'])(
    'an odd spelling is refused before any look-up: %s',
    async (pattern) => {
      const trap = await sink();
      opened.push(trap);
      const url = pattern.replace('PORT', String(trap.port));
      expect(await reasonFor({ allowPrivateAddresses: false }, url)).toMatchObject({ kind: 'url' });
      expect(trap.contacts()).toBe(0);
    },
  );

  it('a name with one public and one internal address is refused as a whole', async () => {
    const trap = await sink();
    opened.push(trap);
    const reason = await reasonFor(
      { allowPrivateAddresses: false, resolve: async () => ['93.184.216.34', '127.0.0.1'] },
      `https://client.test:${trap.port}/a`,
    );
    expect(reason).toEqual({ kind: 'address', address: '127.0.0.1', range: '127.0.0.0/8' });
    expect(trap.contacts()).toBe(0);
  });

  it('allowing private addresses does not open link-local ones', async () => {
    expect(await reasonFor({}, 'https://169.254.169.254/latest')).toMatchObject({
      kind: 'address',
    });
  });
});

describe('CI06: a name that changes its answer', () => {
  it('is looked up once', async () => {
    handle = answer('{}');
    let lookUps = 0;
    const resolve = async () => {
      lookUps += 1;
      return lookUps === 1 ? ['127.0.0.1'] : ['169.254.169.254'];
    };
    await fetcher({ resolve })(here(), { read: raw });
    expect(lookUps).toBe(1);
  });

  it('only the checked address is connected to, not what the system says about the name', async () => {
    const trap = await sink();
    opened.push(trap);
    // localhost is 127.0.0.1 for everybody else; nothing listens on the checked address.
    const resolve = async () => ['127.0.0.2'];
    const reason = await reasonFor({ resolve }, `https://localhost:${trap.port}/a`);
    expect(reason).toEqual({ kind: 'connect', code: 'ECONNREFUSED' });
    expect(trap.contacts()).toBe(0);
  });
});

describe('CI07: redirects MUST NOT be followed', () => {
  it.each([301, 302, 303, 307, 308])('%i', async (status) => {
    const trap = await sink();
    opened.push(trap);
    handle = answer('{}', { location: `https://127.0.0.1:${trap.port}/` }, status);
    expect(await reasonFor()).toEqual({ kind: 'redirect', status });
    expect(trap.contacts()).toBe(0);
  });
});

describe('CI09: size', () => {
  it('a body over the limit is refused, whatever its Content-Length says', async () => {
    handle = answer(JSON.stringify({ a: 'x'.repeat(6000) }));
    expect(await reasonFor()).toEqual({ kind: 'too_large', limit: 5120 });
  });

  it('the limit is the call’s', async () => {
    handle = answer(JSON.stringify({ a: 'x'.repeat(6000) }));
    await expect(fetcher()(here(), { read: raw, maxBytes: 65_536 })).resolves.toBeDefined();
  });

  it('an endless chunked body is cut at the limit', async () => {
    let closed = false;
    handle = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const pour = setInterval(() => response.write(' '.repeat(4096)), 1);
      response.on('close', () => {
        closed = true;
        clearInterval(pour);
      });
    };
    const before = process.memoryUsage().rss;
    expect(await reasonFor()).toMatchObject({ kind: 'too_large' });
    expect(process.memoryUsage().rss - before).toBeLessThan(10 * 1024 * 1024);
    await expect.poll(() => closed).toBe(true);
  });

  it('a gzip bomb is not inflated', async () => {
    handle = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.end(Buffer.alloc(1024 * 1024, 0x20));
    };
    expect(await reasonFor()).toEqual({ kind: 'content_encoding', contentEncoding: 'gzip' });
  });
});

describe('CI10: everything else that is not a JSON document', () => {
  it.each([
    ['500', answer('{}', {}, 500), 'status'],
    ['404', answer('{}', {}, 404), 'status'],
    ['204', answer('', {}, 204), 'status'],
    ['206', answer('{}', {}, 206), 'status'],
    ['text/html', answer('{}', { 'content-type': 'text/html' }), 'content_type'],
    ['text/json-ish', answer('{}', { 'content-type': 'application/jsonp' }), 'content_type'],
    ['no JSON', answer('nope'), 'json'],
    ['a byte order mark', answer('\ufeff{}'), 'json'],
    ['duplicate members', answer('{"a":1,"a":2}'), 'json'],
    ['bytes that are not UTF-8', answer(Buffer.from([0x22, 0xff, 0x22])), 'json'],
  ] satisfies [string, RequestListener, string][])('%s', async (_name, listener, kind) => {
    handle = listener;
    expect(await reasonFor()).toMatchObject({ kind });
  });

  it('all failures have one message', async () => {
    handle = answer('nope');
    const first = await failure(fetcher()(here(), { read: raw }));
    handle = answer('{}', {}, 500);
    const second = await failure(fetcher()(here(), { read: raw }));
    const third = await failure(fetcher()('https://169.254.169.254/', { read: raw }));
    expect(new Set([first.message, second.message, third.message]).size).toBe(1);
  });
});

describe('time', () => {
  const hang: RequestListener = () => {};
  const trickle: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drop = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(drop));
  };

  it.each([
    ['no answer', hang],
    ['a body that trickles', trickle],
  ] satisfies [string, RequestListener][])('the deadline ends %s', async (_name, listener) => {
    handle = listener;
    const before = performance.now();
    expect(await reasonFor({ timeoutMs: 400 })).toEqual({ kind: 'timeout' });
    expect(performance.now() - before).toBeLessThan(900);
  });

  it('the deadline includes the look-up', async () => {
    const before = performance.now();
    const reason = await reasonFor({ timeoutMs: 300, resolve: () => new Promise(() => {}) });
    expect(reason).toEqual({ kind: 'timeout' });
    expect(performance.now() - before).toBeLessThan(800);
  });

  it('a TLS handshake that never comes ends with the deadline', async () => {
    const trap = await sink();
    opened.push(trap);
    const reason = await reasonFor({ timeoutMs: 300 }, `https://client.test:${trap.port}/a`);
    expect(reason).toEqual({ kind: 'timeout' });
  });

  it('quick failures take the same time whatever the cause', async () => {
    const timed = async (options: Partial<GuardedFetchOptions>, url: string) => {
      const before = performance.now();
      await failure(fetcher({ failureFloorMs: 300, ...options })(url, { read: raw }));
      return performance.now() - before;
    };
    const refusedPort = await sink();
    await refusedPort.close();
    handle = answer('{}', {}, 404);
    const times = [
      await timed({}, 'https://169.254.169.254/'),
      await timed({}, here()),
      await timed({}, `https://client.test:${refusedPort.port}/`),
      await timed({ resolve: () => Promise.reject(new Error('ENOTFOUND')) }, here()),
    ];
    for (const time of times) {
      expect(time).toBeGreaterThan(290);
      expect(time).toBeLessThan(450);
    }
  });

  it('a failure slower than the floor takes the whole deadline', async () => {
    handle = (_request, response) => {
      setTimeout(() => response.writeHead(404).end(), 200);
    };
    const before = performance.now();
    await reasonFor({ failureFloorMs: 100, timeoutMs: 700 });
    expect(performance.now() - before).toBeGreaterThan(690);
    expect(performance.now() - before).toBeLessThan(1000);
  });
});

describe('CI20: certificates', () => {
  const strangerWith = async (other: Certificate) => {
    const stranger = await httpsServer(other, answer('{}'));
    opened.push(stranger);
    return `https://client.test:${stranger.port}/a`;
  };

  it('one that nobody vouches for is refused, even with NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    const url = await strangerWith(await throwawayCertificate());
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      expect(await reasonFor({}, url)).toMatchObject({ kind: 'tls' });
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });

  it('an expired one is refused', async () => {
    const expired = await throwawayCertificate({ notAfter: new Date(Date.now() - 86_400_000) });
    expect(await reasonFor({ ca: expired.ca }, await strangerWith(expired))).toEqual({
      kind: 'tls',
      code: 'CERT_HAS_EXPIRED',
    });
  });

  it('one for another host is refused', async () => {
    const other = await throwawayCertificate({ dns: ['other.test'] });
    expect(await reasonFor({ ca: other.ca }, await strangerWith(other))).toEqual({
      kind: 'tls',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});

describe('CI14, CI19: limits and proxies', () => {
  it('a thousand addresses on one host cause no more fetches than configured', async () => {
    handle = answer('{}');
    const before = server.contacts();
    const fetch = fetcher({ now: () => new Date(0) });
    const results = await Promise.allSettled(
      Array.from({ length: 1000 }, (_, index) => fetch(here(`/${index}`), { read: raw })),
    );
    const fetched = results.filter((result) => result.status === 'fulfilled').length;
    expect(fetched).toBeGreaterThan(0);
    expect(fetched).toBeLessThanOrEqual(20);
    expect(server.contacts() - before).toBe(fetched);
  });

  it('what one address keeps waiting for MUST NOT take the places of others', async () => {
    handle = (request, response) => {
      if (request.url !== '/slow')
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    };
    const fetch = fetcher({ timeoutMs: 700, limits: { concurrencyPerHost: 64, concurrency: 16 } });
    const from = (ip: string, path: string) =>
      withRequestContext(contextOf(ip), () => fetch(here(path), { read: raw }));
    const slow = Array.from({ length: 16 }, () => failure(from('2001:db8::1', '/slow')));
    expect((await failure(from('2001:db8::2', '/'))).reason).toEqual({
      kind: 'busy',
      scope: 'requester',
    });
    await from('192.0.2.7', '/');
    await fetch(here('/'), { read: raw });
    const reasons = (await Promise.all(slow)).map(({ reason }) => reason.kind);
    expect(reasons.filter((kind) => kind === 'timeout')).toHaveLength(8);
  });

  it('HTTPS_PROXY is ignored: a proxy would look the name up again, unchecked', async () => {
    const proxy = await sink();
    opened.push(proxy);
    const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    for (const name of names) process.env[name] = `http://127.0.0.1:${proxy.port}`;
    try {
      handle = answer('{}');
      await fetcher()(here(), { read: raw });
    } finally {
      for (const name of names) delete process.env[name];
    }
    expect(proxy.contacts()).toBe(0);
  });
});
