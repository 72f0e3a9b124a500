import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  httpsServer,
  sink,
  type TestServer,
  type ThrowawayCertificate,
  throwawayCertificate,
} from './guarded.testing.ts';
import { createGuardedSessions, type GuardedSessionsOptions } from './guarded-session.ts';

let certificate: ThrowawayCertificate;
let server: TestServer;
let seen: { path: string; headers: Record<string, unknown> }[] = [];

beforeAll(async () => {
  certificate = await throwawayCertificate();
  server = await httpsServer(certificate, (req, res) => {
    seen.push({ path: req.url ?? '', headers: req.headers });
    if (req.url === '/moved') res.writeHead(302, { location: '/elsewhere' }).end();
    else if (req.url === '/big') res.writeHead(200).end('x'.repeat(600));
    else if (req.url !== '/hang') res.writeHead(200, { 'content-type': 'text/plain' }).end('fine');
  });
});
afterAll(() => server.close());

function sessions(options: Partial<GuardedSessionsOptions> = {}) {
  return createGuardedSessions({
    ...{ timeoutMs: 500, maxBytes: 1000, now: () => new Date(), ca: certificate.ca },
    resolve: async () => ['127.0.0.1'],
    ...options,
  });
}

const at = (path: string) => `https://client.test:${server.port}${path}`;
const open = (path = '/', options?: Partial<GuardedSessionsOptions>) =>
  sessions(options)(at(path), { reach: 'private', headers: { authorization: 'Bearer ours' } });

it('MUST send its own headers over those of the client', async () => {
  seen = [];
  const session = await open();
  const headers = { Authorization: 'Bearer theirs', 'x-own': '1' };
  expect(await (await session.fetch(at('/a'), { headers })).text()).toBe('fine');
  session.close();
  expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer ours', 'x-own': '1' });
});

it('MUST NOT go to another origin, nor follow a redirect', async () => {
  seen = [];
  const session = await open();
  for (const url of ['https://other.test/', `http://client.test:${server.port}/`]) {
    await expect(session.fetch(url)).rejects.toMatchObject({ reason: { kind: 'url' } });
  }
  await expect(session.fetch(at('/moved'))).rejects.toMatchObject({ reason: { kind: 'redirect' } });
  session.close();
  expect(seen.map(({ path }) => path)).toEqual(['/moved']);
});

it.each(['127.0.0.1', '10.0.0.7', '169.254.169.254', '::1', 'fd00::1', '64:ff9b::a9fe:a9fe'])(
  'a name that means %s MUST NOT be contacted for the public (CI03, CI04)',
  async (address) => {
    const listener = await sink();
    const url = `https://client.test:${listener.port}/`;
    const refused = sessions({ resolve: async () => [address] })(url, {
      reach: 'public',
      headers: {},
    });
    await expect(refused).rejects.toMatchObject({ reason: { kind: 'address' } });
    expect(listener.contacts()).toBe(0);
    await listener.close();
  },
);

it('a name MUST be looked up once for all requests of a session (CI06)', async () => {
  let looked = 0;
  const resolve = async () => {
    looked += 1;
    return ['127.0.0.1'];
  };
  const session = await open('/', { resolve });
  for (const path of ['/a', '/b', '/c']) await (await session.fetch(at(path))).text();
  session.close();
  expect(looked).toBe(1);
});

it('bytes MUST be counted over all answers of a session (CI09)', async () => {
  const session = await open();
  expect(await (await session.fetch(at('/big'))).text()).toHaveLength(600);
  const second = await session.fetch(at('/big'));
  await expect(second.text()).rejects.toThrow();
  expect(session.failure()?.reason).toEqual({ kind: 'too_large', limit: 1000 });
  session.close();
});

it('time MUST be that of the session, and end what hangs', async () => {
  const session = await open();
  const started = performance.now();
  await expect(session.fetch(at('/hang'))).rejects.toThrow();
  expect(performance.now() - started).toBeLessThan(1500);
  expect(session.failure()?.reason).toEqual({ kind: 'timeout' });
  session.close();
});

it('one requester MUST NOT have more sessions than its share, and a closed one is given back', async () => {
  const many = sessions({ limits: { concurrencyPerRequester: 2 } });
  const take = (requester: string) => many(at('/'), { reach: 'private', headers: {}, requester });
  const first = await take('w1');
  await take('w1');
  await expect(take('w1')).rejects.toMatchObject({ reason: { kind: 'busy', scope: 'requester' } });
  (await take('w2')).close();
  first.close();
  (await take('w1')).close();
});
