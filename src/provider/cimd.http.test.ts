import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestServer as Sink, sink } from '../http/guarded.testing.ts';
import { createGuardedFetch, type GuardedFetch } from '../http/index.ts';
import { type DocumentHost, startDocumentHost } from './document-host.testing.ts';
import { code, good, redeem, refresh, type Tokens } from './flow.testing.ts';
import { countClients, refusal, refused } from './registration.testing.ts';
import { startServer, type TestServer } from './server.testing.ts';
import { open, openSignedIn, withoutTrace } from './signed-in.testing.ts';

const unusable = 'The client metadata document could not be loaded or is not valid.';
const callback = 'https://client.test/cb';
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const second = 1;
const hour = 3600 * second;

let host: DocumentHost;
let internal: Sink;
let server: TestServer;
beforeAll(async () => {
  host = await startDocumentHost(['client.test', 'keys.test']);
  internal = await sink();
  server = await startServer({ fetch: route() });
  host.now = () => server.now();
});
afterAll(async () => {
  await server?.close();
  await internal?.close();
  await host?.close();
});

/** Our documents as if they were public; everything else as in production, with names of our own. */
function route(): GuardedFetch {
  const strict = strictFetch(async (name) => (name === 'internal.test' ? ['127.0.0.1'] : []));
  return (url, options) =>
    /^https:\/\/(client|keys)\.test\//.test(url) ? host.fetch(url, options) : strict(url, options);
}

function strictFetch(resolve: (name: string) => Promise<string[]>): GuardedFetch {
  return createGuardedFetch({
    allowPrivateAddresses: false,
    timeoutMs: 3000,
    failureFloorMs: 0,
    ca: host.ca,
    resolve,
    now: () => new Date(),
    limits: { burstPerHost: 1000, perSecondAndHost: 1000 },
  });
}

let documents = 0;
/** Puts a document at an address of its own. */
function publish(changes: object = {}, headers?: Record<string, string>): string {
  documents += 1;
  const clientId = `https://client.test/${documents}/client.json`;
  serve(clientId, changes, headers);
  return clientId;
}

function serve(clientId: string, changes: object = {}, headers?: Record<string, string>): void {
  const document = {
    client_id: clientId,
    client_name: 'Documented client',
    redirect_uris: [callback],
    token_endpoint_auth_method: 'none',
    ...changes,
  };
  host.serve(clientId, document, headers);
}

const flowOf = (clientId: string, redirectUri = callback) =>
  good({ client_id: clientId, redirect_uri: redirectUri });

async function keyPair(alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const kid = `key-${Math.random()}`;
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  const sign = async (clientId: string, claims: object = {}) => ({
    client_assertion_type: assertionType,
    client_assertion: await new SignJWT({ jti: `${Math.random()}`, ...claims })
      .setProtectedHeader({ alg, kid })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(server.url)
      .setIssuedAt(Math.floor(server.now().getTime() / 1000))
      .setExpirationTime(Math.floor(server.now().getTime() / 1000) + 60)
      .sign(privateKey),
  });
  return { jwk, sign };
}

describe('a client with a document goes the whole way (CI01)', () => {
  test('code, token, refresh; consent names the host that was verified', async () => {
    const clientId = publish({ client_name: 'Documented client' });
    const page = await openSignedIn(server, flowOf(clientId));
    expect(page.asks).toBe(true);
    expect(page.html).toContain('Documented client');
    expect(page.html).toContain('client.test');
    expect(page.html).not.toContain('Another host than the one that names this app');
    const flow = flowOf(clientId);
    const response = await redeem(server, flow, await code(server, flow));
    expect(response.status).toBe(200);
    const { refresh_token }: Tokens = JSON.parse(await response.text());
    expect((await refresh(server, refresh_token, { client_id: clientId })).status).toBe(200);
    expect(host.hits(clientId)).toBe(1);
  });

  test('consent says so when the answer goes to another host than the document came from', async () => {
    const elsewhere = 'https://elsewhere.example/cb';
    const clientId = publish({ redirect_uris: [elsewhere] });
    const { html } = await openSignedIn(server, flowOf(clientId, elsewhere));
    expect(html).toContain('elsewhere.example');
    expect(html).toContain('Another host than the one that names this app');
  });

  test('is offered in the metadata together with none', async () => {
    const metadata = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({
      client_id_metadata_document_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
    });
  });

  test('only for a redirect URI that is in the document', async () => {
    const clientId = publish();
    const page = await open(server, flowOf(clientId, 'https://client.test/other'));
    expect(page).toMatchObject({ status: 400, location: null });
  });

  test('a document that was never asked for at authorize is no client elsewhere', async () => {
    const clientId = publish();
    const response = await redeem(server, flowOf(clientId), 'x');
    expect(await refusal(response)).toMatchObject(refused(401, 'invalid_client'));
    expect(host.hits(clientId)).toBe(0);
  });

  test('with cimd.enabled false an address is no client', async () => {
    const closed = await startServer({ fetch: route(), extra: 'cimd: { enabled: false }' });
    try {
      const clientId = publish();
      const page = await open(closed, flowOf(clientId));
      expect(page).toMatchObject({ status: 400, location: null });
      expect(host.hits(clientId)).toBe(0);
    } finally {
      await closed.close();
    }
  });
});

type Answer = Parameters<DocumentHost['serve']>[1];
const text =
  (body: string | Buffer, type = 'application/json', status = 200): Answer =>
  (_req, res) => {
    res.writeHead(status, { 'content-type': type }).end(body);
  };
const redirect =
  (status: number, location: () => string): Answer =>
  (_req, res) => {
    res.writeHead(status, { location: location() }).end();
  };
const valid = (clientId: string, changes: object = {}) =>
  JSON.stringify({ client_id: clientId, redirect_uris: [callback], ...changes });
/** Sends for ever, as fast as the peer reads. */
const endless: Answer = (_req, res) => {
  res.writeHead(200, { 'content-type': 'application/json' });
  const piece = Buffer.alloc(16 * 1024, 0x20);
  const more = () => {
    while (!res.destroyed && res.write(piece));
  };
  res.on('drain', more);
  more();
};

describe('a document that is not usable', () => {
  const id = 'https://client.test/bad/client.json';
  const cases: [string, Answer][] = [
    ['CI07 301 to the metadata service', redirect(301, () => 'http://169.254.169.254/')],
    ['CI07 302 to http', redirect(302, () => 'http://client.test/1/client.json')],
    ['CI07 307 to an internal port', redirect(307, () => `https://127.0.0.1:${internal.port}/`)],
    ['CI07 308 to another document', redirect(308, () => `https://client.test:${host.port}/1`)],
    ['CI09 5 MB', text(valid(id, { client_name: 'a'.repeat(5_000_000) }))],
    [
      'CI09 5 KB and a little',
      text(valid(id, { client_uri: `https://x.test/${'a'.repeat(5200)}` })),
    ],
    ['CI09 endless', endless],
    [
      'CI09 compressed',
      (_req, res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
        res.end(valid(id));
      },
    ],
    [
      'CI09 a length that lies',
      (_req, res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' });
        res.end(valid(id));
      },
    ],
    ['CI10 500', text(valid(id), 'application/json', 500)],
    ['CI10 404', text(valid(id), 'application/json', 404)],
    ['CI10 204', text('', 'application/json', 204)],
    ['CI10 201', text(valid(id), 'application/json', 201)],
    ['CI10 text/html', text(valid(id), 'text/html')],
    ['CI10 no JSON', text('<html>')],
    ['CI10 an array', text(`[${valid(id)}]`)],
    ['CI10 a byte order mark', text(`\ufeff${valid(id)}`)],
    ['CI10 duplicate members', text(`{"client_id":"${id}",${valid(id).slice(1)}`)],
    ['CI10 depth 1,000', text(`{"client_id":"${id}","a":${'['.repeat(1000)}${']'.repeat(1000)}}`)],
    ['CI12 another client_id', text(valid('https://client.test/other/client.json'))],
    ['CI12 with a slash', text(valid(`${id}/`))],
    ['CI12 in upper case', text(valid(id.toUpperCase()))],
    ['CI12 host in upper case', text(valid(id.replace('client.test', 'CLIENT.test')))],
    ['CI12 with the port', text(valid(id.replace('client.test', 'client.test:443')))],
    ['CI12 with a query', text(valid(`${id}?x`))],
    ['CI12 no client_id', text(JSON.stringify({ redirect_uris: [callback] }))],
    ['CI13 a secret', text(valid(id, { client_secret: 'x' }))],
    [
      'CI13 client_secret_basic',
      text(valid(id, { token_endpoint_auth_method: 'client_secret_basic' })),
    ],
    [
      'CI13 client_secret_post',
      text(valid(id, { token_endpoint_auth_method: 'client_secret_post' })),
    ],
    [
      'CI13 client_secret_jwt',
      text(valid(id, { token_endpoint_auth_method: 'client_secret_jwt' })),
    ],
    [
      'CI13 private_key_jwt without keys',
      text(valid(id, { token_endpoint_auth_method: 'private_key_jwt' })),
    ],
    ['CI13 javascript:', text(valid(id, { redirect_uris: ['javascript:alert(1)'] }))],
    [
      'CI13 a bad one among good ones',
      text(valid(id, { redirect_uris: [callback, 'http://evil.test/'] })),
    ],
    ['CI13 no redirect URI', text(valid(id, { redirect_uris: [] }))],
    ['CI13 logo by http', text(valid(id, { logo_uri: 'http://client.test/logo.png' }))],
    [
      'CI13 keys with private members',
      text(valid(id, { jwks: { keys: [{ kty: 'oct', k: 'eA' }] } })),
    ],
    ['a machine grant only', text(valid(id, { grant_types: ['client_credentials'] }))],
    ['a connection that breaks', (req) => void req.socket.destroy()],
  ];
  /** The page for an address where nothing is: what all others are held against. */
  const nothing = () => open(server, flowOf('https://client.test/nothing/client.json'));

  test.each(cases)(
    '%s MUST be a page that tells no more than for no document',
    async (_what, answer) => {
      const before = await countClients(server);
      host.serve(id, answer);
      server.advance(61);
      const started = performance.now();
      const page = await open(server, flowOf(id));
      expect(performance.now() - started).toBeLessThan(3500);
      expect(page).toMatchObject({ status: 400, location: null });
      expect(page.html).toContain(unusable);
      const other = (await nothing()).html.replaceAll('nothing', 'bad');
      expect(withoutTrace(page.html)).toBe(withoutTrace(other));
      expect(await countClients(server)).toBe(before);
      expect(internal.contacts()).toBe(0);
    },
  );

  test('a program that asks for JSON reads the same sentence', async () => {
    const page = await open(server, flowOf('https://client.test/nothing/client.json'), {
      headers: { accept: 'application/json' },
    });
    expect(JSON.parse(page.html)).toMatchObject({
      error: 'invalid_client',
      error_description: unusable,
      trace_id: expect.any(String),
    });
  });

  test('the log has the reason', () => {
    expect(server.logged()).toContain('"reason":"redirect ');
    expect(server.logged()).toContain('client_id in the document differs from its address');
  });

  test('is left alone for a minute, then asked for again', async () => {
    const clientId = publish({ client_id: 'https://client.test/not-me' });
    await open(server, flowOf(clientId));
    await open(server, flowOf(clientId));
    expect(host.hits(clientId)).toBe(1);
    serve(clientId);
    expect((await open(server, flowOf(clientId))).status).toBe(400);
    server.advance(61);
    expect((await openSignedIn(server, flowOf(clientId))).asks).toBe(true);
  });

  test('a good document of the same host is not harmed by bad ones', async () => {
    expect((await openSignedIn(server, flowOf(publish()))).asks).toBe(true);
  });
});

describe('addresses that MUST NOT be contacted', () => {
  const port = () => internal.port;
  test.each([
    // CI02
    ['http', () => `http://127.0.0.1:${port()}/c.json`],
    ['http, other case', () => `HTTP://127.0.0.1:${port()}/c.json`],
    ['no path', () => `https://internal.test:${port()}`],
    ['no more than a slash', () => `https://internal.test:${port()}/`],
    ['userinfo', () => `https://client.test@internal.test:${port()}/c.json`],
    ['a fragment', () => `https://internal.test:${port()}/c.json#x`],
    ['a dot segment', () => `https://internal.test:${port()}/a/./c.json`],
    ['a dot segment, encoded', () => `https://internal.test:${port()}/a/%2e%2e/c.json`],
    ['port 0', () => 'https://internal.test:0/c.json'],
    // CI03
    ['127.0.0.1', () => `https://127.0.0.1:${port()}/c.json`],
    ['localhost', () => `https://localhost:${port()}/c.json`],
    ['a name of it', () => `https://internal.test:${port()}/c.json`],
    ['hexadecimal', () => `https://0x7f.1:${port()}/c.json`],
    ['one number', () => `https://2130706433:${port()}/c.json`],
    ['octal', () => `https://0177.0.0.1:${port()}/c.json`],
    ['short', () => `https://127.1:${port()}/c.json`],
    ['[::1]', () => `https://[::1]:${port()}/c.json`],
    ['IPv4 in IPv6', () => `https://[::ffff:7f00:1]:${port()}/c.json`],
    ['IPv4 in IPv6, dotted', () => `https://[::ffff:127.0.0.1]:${port()}/c.json`],
    ['0.0.0.0', () => `https://0.0.0.0:${port()}/c.json`],
    ['[::]', () => `https://[::]:${port()}/c.json`],
    // CI04
    ['10/8', () => 'https://10.0.0.1/c.json'],
    ['172.16/12', () => 'https://172.16.0.1/c.json'],
    ['192.168/16', () => 'https://192.168.0.1/c.json'],
    ['100.64/10', () => 'https://100.64.0.1/c.json'],
    ['the metadata service', () => 'https://169.254.169.254/c.json'],
    ['fd00::/8', () => 'https://[fd00::1]/c.json'],
    ['fe80::/10', () => 'https://[fe80::1]/c.json'],
    ['the metadata service by NAT64', () => 'https://[64:ff9b::a9fe:a9fe]/c.json'],
    // CI17
    ['8 KB', () => `https://internal.test:${port()}/${'a'.repeat(8000)}`],
    ['NUL', () => `https://internal.test:${port()}/c\u0000.json`],
    ['CRLF', () => `https://internal.test:${port()}/c\r\nHost: x`],
    ['a backslash', () => `https://internal.test:${port()}\\@client.test/c.json`],
    ['a tab', () => `https://internal.test:${port()}/c\t.json`],
    ['a host that is not ASCII', () => `https://\u0438nternal.test:${port()}/c.json`],
  ])('%s', async (_what, clientId) => {
    const before = await countClients(server);
    const page = await open(server, flowOf(clientId()));
    expect(page).toMatchObject({ status: 400, location: null });
    expect(internal.contacts()).toBe(0);
    expect(await countClients(server)).toBe(before);
  });

  test('a name that is public first and internal then is asked once, and held to it (CI06)', async () => {
    let asked = 0;
    const rebinding = strictFetch(async () => {
      asked += 1;
      return asked === 1 ? ['192.0.43.8', '127.0.0.1'] : ['127.0.0.1'];
    });
    const other = await startServer({ fetch: rebinding });
    try {
      const clientId = `https://rebind.test:${internal.port}/c.json`;
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const page = await open(other, flowOf(clientId));
        expect(page).toMatchObject({ status: 400, location: null });
        other.advance(61);
      }
      expect(asked).toBe(2); // once per fetch
      expect(internal.contacts()).toBe(0);
    } finally {
      await other.close();
    }
  });

  test('a proxy of the environment sees nothing (CI19)', async () => {
    const proxy = `http://127.0.0.1:${internal.port}`;
    const names = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy;
    try {
      const clientId = publish();
      expect((await openSignedIn(server, flowOf(clientId))).asks).toBe(true);
      expect(host.hits(clientId)).toBe(1);
      expect(internal.contacts()).toBe(0);
    } finally {
      for (const [index, name] of names.entries()) {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});

describe('how much strangers can make us fetch', () => {
  test('1,000 addresses on one host MUST NOT be 1,000 requests to it (CI14)', async () => {
    const limited = createGuardedFetch({
      allowPrivateAddresses: true,
      timeoutMs: 3000,
      failureFloorMs: 0,
      ca: host.ca,
      resolve: async () => ['127.0.0.1'],
      now: () => new Date(),
    });
    const other = await startServer({ fetch: limited });
    const before = host.hits();
    const started = performance.now();
    try {
      for (let batch = 0; batch < 20; batch += 1) {
        const pages = Array.from({ length: 50 }, (_, n) =>
          open(other, flowOf(`https://client.test:${host.port}/flood/${batch}/${n}`)),
        );
        for (const page of await Promise.all(pages)) expect(page.status).toBe(400);
      }
      const seconds = (performance.now() - started) / 1000;
      expect(host.hits() - before).toBeGreaterThan(0);
      expect(host.hits() - before).toBeLessThanOrEqual(20 + Math.ceil(seconds));
    } finally {
      await other.close();
    }
  });

  test('one address MUST NOT take all places with documents that never come', async () => {
    const patient = createGuardedFetch({
      allowPrivateAddresses: true,
      timeoutMs: 1500,
      failureFloorMs: 0,
      ca: host.ca,
      resolve: async () => ['127.0.0.1'],
      now: () => new Date(),
      limits: { burstPerHost: 1000, concurrencyPerHost: 64 },
    });
    const other = await startServer({ fetch: patient });
    const before = host.hits();
    try {
      const pages = Array.from({ length: 20 }, (_, n) => {
        host.serve(`https://client.test/hangs/${n}`, () => {});
        return open(other, flowOf(`https://client.test:${host.port}/hangs/${n}`));
      });
      for (const page of await Promise.all(pages)) expect(page.status).toBe(400);
      expect(host.hits() - before).toBe(8);
    } finally {
      await other.close();
    }
  });

  test('many people at once with one new client are one request', async () => {
    const clientId = publish();
    await Promise.all(Array.from({ length: 10 }, () => open(server, flowOf(clientId))));
    expect(host.hits(clientId)).toBe(1);
  });
});

describe('certificates MUST be good (CI20)', () => {
  const trusting = (ca?: string) =>
    createGuardedFetch({
      allowPrivateAddresses: true,
      timeoutMs: 3000,
      failureFloorMs: 0,
      ...(ca === undefined ? {} : { ca }),
      resolve: async () => ['127.0.0.1'],
      now: () => new Date(),
    });

  test('expired, of another host, or signed by nobody we trust', async () => {
    const old = await startDocumentHost(['old.test'], new Date(Date.now() - 3_600_000));
    let way = trusting(host.ca);
    const other = await startServer({ fetch: (url, options) => way(url, options) });
    const attempt = async (on: DocumentHost, name: string, ca: string | undefined) => {
      const clientId = `https://${name}:${on.port}/tls/${ca === undefined}/client.json`;
      on.serve(clientId.replace(`:${on.port}`, ''), JSON.parse(valid(clientId)));
      way = trusting(ca);
      const before = on.hits();
      const { status } = await open(other, flowOf(clientId));
      return { status, hits: on.hits() - before };
    };
    try {
      expect(await attempt(host, 'client.test', host.ca)).toEqual({ status: 303, hits: 1 });
      expect(await attempt(host, 'client.test', undefined)).toEqual({ status: 400, hits: 0 });
      expect(await attempt(host, 'other.test', host.ca)).toEqual({ status: 400, hits: 0 });
      expect(await attempt(old, 'old.test', old.ca)).toEqual({ status: 400, hits: 0 });
    } finally {
      await other.close();
      await old.close();
    }
  });
});

describe('what is stored of a document', () => {
  async function approved(clientId: string, redirectUri = callback) {
    const { browser } = await openSignedIn(server, flowOf(clientId, redirectUri));
    const value = await code(server, flowOf(clientId, redirectUri), { browser });
    expect(value).toBeTruthy();
    const again = await openSignedIn(server, flowOf(clientId, redirectUri), browser);
    expect(again.asks).toBe(false);
    return browser;
  }

  test.each([
    ['redirect host', { redirect_uris: [callback, 'https://evil.test/cb'] }],
    ['name', { client_name: 'Your bank' }],
    ['keys', { jwks_uri: 'https://keys.test/keys' }],
  ])('a changed %s MUST ask for consent again (CI15)', async (_what, change) => {
    const clientId = publish();
    const browser = await approved(clientId);
    serve(clientId, change);
    expect((await openSignedIn(server, flowOf(clientId), browser)).asks).toBe(false);
    server.advance(hour + 1);
    expect((await openSignedIn(server, flowOf(clientId), browser)).asks).toBe(true);
    expect(host.hits(clientId)).toBe(2);
    const event = await server.db.kysely
      .selectFrom('audit_events')
      .select('detail')
      .where('client_id', '=', clientId)
      .where('type', '=', 'client_document_changed')
      .execute();
    expect(event).toHaveLength(1);
  });

  test('an unchanged document that is fetched again asks nobody', async () => {
    const clientId = publish();
    const browser = await approved(clientId);
    server.advance(hour + 1);
    expect((await openSignedIn(server, flowOf(clientId), browser)).asks).toBe(false);
    expect(host.hits(clientId)).toBe(2);
  });

  test('a redirect URI that was taken out is refused from then on', async () => {
    const clientId = publish();
    await approved(clientId);
    serve(clientId, { redirect_uris: ['https://client.test/new'] });
    server.advance(hour + 1);
    expect(await open(server, flowOf(clientId))).toMatchObject({ status: 400, location: null });
  });

  test.each([
    ['max-age=0 is kept for a minute', 'max-age=0', 59, 61],
    ['no-store is kept for a minute', 'no-store', 59, 61],
    ['max-age=600 is kept for that long', 'max-age=600', 595, 605],
    ['max-age of a year is kept for cimd.cache_ttl', 'max-age=31536000', 3595, 3605],
  ])('%s', async (_what, cacheControl, fresh, stale) => {
    const clientId = publish({}, { 'cache-control': cacheControl });
    await open(server, flowOf(clientId));
    server.advance(fresh);
    await open(server, flowOf(clientId));
    expect(host.hits(clientId)).toBe(1);
    server.advance(stale - fresh);
    await open(server, flowOf(clientId));
    expect(host.hits(clientId)).toBe(2);
  });

  test('the token endpoint uses it while the host is down, and never asks', async () => {
    const clientId = publish({}, { 'cache-control': 'max-age=60' });
    const flow = flowOf(clientId);
    const value = await code(server, flow);
    host.down = true;
    try {
      const response = await redeem(server, flow, value);
      expect(response.status).toBe(200);
      const { refresh_token }: Tokens = JSON.parse(await response.text());
      server.advance(2 * hour);
      expect((await refresh(server, refresh_token, { client_id: clientId })).status).toBe(200);
      expect(host.hits(clientId)).toBe(1);
      // a new authorization asks, and goes on with what it has, for a day
      expect((await openSignedIn(server, flowOf(clientId))).url).toContain('code=');
      expect(host.hits(clientId)).toBe(2);
      server.advance(24 * hour);
      expect((await open(server, flowOf(clientId))).html).toContain(unusable);
    } finally {
      host.down = false;
    }
  });

  test('a client whose document is gone for good starts nothing new', async () => {
    const clientId = publish();
    await open(server, flowOf(clientId));
    host.serve(clientId, text('', 'text/html', 404));
    server.advance(hour + 1);
    expect((await open(server, flowOf(clientId))).html).toContain(unusable);
  });

  test('a suspended client stays suspended, whatever its document says', async () => {
    const clientId = publish();
    await open(server, flowOf(clientId));
    const actor = { kind: 'admin', id: 'usr_operator' } as const;
    await server.app.rooms.clients.suspend(clientId, { actor, meta: { at: server.now() } });
    serve(clientId, { client_name: 'Another name' });
    server.advance(hour + 1);
    expect(await open(server, flowOf(clientId))).toMatchObject({ status: 400, location: null });
    expect(host.hits(clientId)).toBe(1);
  });
});

describe('a client that signs (private_key_jwt)', () => {
  test('with keys in its document goes the whole way; without a signature nobody does', async () => {
    const { jwk, sign } = await keyPair();
    const clientId = publish({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    });
    const flow = flowOf(clientId);
    const value = await code(server, flow);
    const { sign: forge } = await keyPair();
    for (const attempt of [{}, await forge(clientId), await sign('https://client.test/other')]) {
      const response = await redeem(server, flow, value, attempt);
      expect([400, 401]).toContain(response.status);
      expect((await refusal(response)).error).toMatch(/^invalid_(client|request)$/);
    }
    const response = await redeem(server, flow, value, await sign(clientId));
    expect(response.status).toBe(200);
    const { refresh_token }: Tokens = JSON.parse(await response.text());
    const unsigned = await refresh(server, refresh_token, { client_id: clientId });
    expect(await refusal(unsigned)).toMatchObject(refused(401, 'invalid_client'));
    const signed = { client_id: clientId, ...(await sign(clientId)) };
    expect((await refresh(server, refresh_token, signed)).status).toBe(200);
  });

  test('an assertion is good once', async () => {
    const { jwk, sign } = await keyPair();
    const clientId = publish({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    });
    const flow = flowOf(clientId);
    const assertion = await sign(clientId);
    expect((await redeem(server, flow, await code(server, flow), assertion)).status).toBe(200);
    const again = flowOf(clientId);
    const replay = await redeem(server, again, await code(server, again), assertion);
    expect(await refusal(replay)).toMatchObject(refused(401, 'invalid_client'));
  });

  test('MUST use the algorithm that it said it would (RFC 7591 §2)', async () => {
    const said = await keyPair('ES256');
    const other = await keyPair('RS256');
    const clientId = publish({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [said.jwk, other.jwk] },
    });
    const flow = flowOf(clientId);
    const value = await code(server, flow);
    const wrong = await redeem(server, flow, value, await other.sign(clientId));
    expect(await refusal(wrong)).toMatchObject(refused(401, 'invalid_client'));
    expect((await redeem(server, flow, value, await said.sign(clientId))).status).toBe(200);
  });

  test('with keys at jwks_uri: fetched when it signs, and again for a key that is new', async () => {
    const [first, next] = [await keyPair(), await keyPair()];
    const keysUri = 'https://keys.test/rotating';
    host.serve(keysUri, { keys: [first.jwk] });
    const clientId = publish({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: keysUri,
    });
    const flow = flowOf(clientId);
    const value = await code(server, flow);
    expect(host.hits(keysUri)).toBe(0);
    const response = await redeem(server, flow, value, await first.sign(clientId));
    expect(response.status).toBe(200);
    const { refresh_token }: Tokens = JSON.parse(await response.text());
    expect(host.hits(keysUri)).toBe(1);
    host.serve(keysUri, { keys: [first.jwk, next.jwk] });
    server.advance(61);
    const signed = { client_id: clientId, ...(await next.sign(clientId)) };
    expect((await refresh(server, refresh_token, signed)).status).toBe(200);
    expect(host.hits(keysUri)).toBe(2);
  });

  const hanging: Answer = () => {};
  test.each<[string, string, Answer | undefined]>([
    ['hangs', 'https://keys.test/hanging', hanging],
    ['is huge', 'https://keys.test/huge', endless],
    ['is no key set', 'https://keys.test/none', text('{}')],
    ['is not there', 'https://keys.test/gone', undefined],
    ['is internal', 'https://internal.test:PORT/keys', undefined],
  ])(
    'whose jwks_uri %s starts an authorization, and gets 401 for its signature (CI18)',
    async (_what, uri, answer) => {
      const keysUri = uri.replace('PORT', String(internal.port));
      if (answer) host.serve(keysUri, answer);
      const { sign } = await keyPair();
      const clientId = publish({
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: keysUri,
      });
      const flow = flowOf(clientId);
      const value = await code(server, flow);
      const started = performance.now();
      const response = await redeem(server, flow, value, await sign(clientId));
      expect(performance.now() - started).toBeLessThan(3500);
      expect(await refusal(response)).toMatchObject(refused(401, 'invalid_client'));
      expect(internal.contacts()).toBe(0);
    },
  );
});
