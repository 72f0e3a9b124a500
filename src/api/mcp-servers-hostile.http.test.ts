import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGuardedRequest, createGuardedSessions } from '../http/index.ts';
import { signedIn } from '../provider/people.testing.ts';
import { alice, type TestServer } from '../provider/server.testing.ts';
import { memberOf, startWorkspaces } from '../provider/workspaces.testing.ts';
import { call } from './api.testing.ts';
import {
  type ApiClient,
  apiClient,
  exampleMcp,
  managed,
  type OtherServer,
  otherServer,
  registered,
} from './mcp-servers.testing.ts';

let server: TestServer;
let api: ApiClient;
const others: OtherServer[] = [];

beforeAll(async () => {
  const now = () => server.now();
  server = await startWorkspaces({
    upstreamWays: {
      sessions: createGuardedSessions({ timeoutMs: 1000, maxBytes: 200_000, now }),
      pictures: createGuardedRequest({ timeoutMs: 500, maxBytes: 64 * 1024, now }),
    },
  });
  await memberOf(server, alice, { acme: 'admin' });
  api = await apiClient(server, alice);
});
afterAll(async () => {
  await server.close();
  for (const other of others) await other.close();
});

async function upstream(...args: Parameters<typeof otherServer>): Promise<OtherServer> {
  const other = await otherServer(...args);
  others.push(other);
  return other;
}

/** Registers it, and tests it. */
async function tested(url: string) {
  const made = await registered(server, api, { url });
  const path = await managed(server, 'acme', `/${made.id}`);
  const started = performance.now();
  const test = await api('POST', `${path}/test`);
  return { path, test, took: performance.now() - started };
}

const json = { 'content-type': 'application/json' };
const events = { 'content-type': 'text/event-stream' };

describe('an upstream that is no good', () => {
  it.each<[string, Parameters<typeof otherServer>[0], RegExp]>([
    ['says nothing', () => {}, /in time/],
    ['begins and stops', (_, res) => void res.writeHead(200, json).write('{"jsonrpc"'), /in time/],
    [
      'streams for ever',
      async (_, res) => {
        res.writeHead(200, events);
        while (!res.destroyed) {
          res.write(': still here\n\n');
          await sleep(50);
        }
      },
      /in time/,
    ],
    [
      'answers without end',
      async (_, res) => {
        res.writeHead(200, json);
        res.write('"');
        while (!res.destroyed) if (!res.write('x'.repeat(65536))) await once(res, 'drain');
      },
      /more than is read/,
    ],
    [
      'answers HTML',
      (_, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      /no MCP server/,
    ],
    [
      'answers no JSON',
      (_, res) => void res.writeHead(200, json).end('{"jsonrpc": nope'),
      /no MCP server/,
    ],
    [
      'answers other JSON',
      (_, res) => void res.writeHead(200, json).end('{"hello":[1]}'),
      /no MCP server/,
    ],
    ['answers 500', (_, res) => void res.writeHead(500).end(), /cannot be reached/],
    ['answers 404', (_, res) => void res.writeHead(404).end(), /no MCP server/],
    ['answers 204', (_, res) => void res.writeHead(204).end(), /no MCP server|in time/],
    [
      'answers compressed',
      (_, res) => void res.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('x'),
      /no MCP server/,
    ],
    ['closes', (_, res) => void res.destroy(), /cannot be reached/],
  ])('one that %s MUST be a failed test in its time limit (U09)', async (_, handle, sentence) => {
    const other = await upstream(handle);
    const { path, test, took } = await tested(other.url);
    expect(test).toMatchObject({ status: 200, body: { success: false } });
    expect(test.body.error).toMatch(sentence);
    expect(took).toBeLessThan(3000);
    expect(await api('GET', path)).toMatchObject({ body: { state: 'REGISTER', enabled: false } });
  });

  it('redirects MUST NOT be followed, whatever their status (CI07)', async () => {
    const inner = await upstream(exampleMcp());
    for (const status of [301, 302, 307, 308]) {
      const other = await upstream(
        (_, res) => void res.writeHead(status, { location: inner.url }).end(),
      );
      const { test } = await tested(other.url);
      expect(test.body).toMatchObject({
        success: false,
        error: expect.stringContaining('redirect'),
      });
    }
    expect(inner.requests).toEqual([]);
  });

  it('what it says MUST NOT be in what we say', async () => {
    const other = await upstream(
      (_, res) =>
        void res
          .writeHead(401, { 'www-authenticate': 'Bearer error="<b>gotcha</b>"' })
          .end('<b>gotcha'),
    );
    const { path, test } = await tested(other.url);
    const enabled = await api('POST', `${path}/enable`);
    expect(JSON.stringify([test.body, enabled.body])).not.toContain('gotcha');
  });

  it('a list without end MUST be cut', async () => {
    let pages = 0;
    const other = await upstream(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(Buffer.from(chunk));
      const text = Buffer.concat(chunks).toString();
      const { id, method } = text === '' ? { id: 0, method: '' } : JSON.parse(text);
      if (id === undefined) return void res.writeHead(202).end();
      const initialized = {
        ...{ protocolVersion: '2025-06-18', capabilities: { tools: {} } },
        serverInfo: { name: 'endless', version: '1' },
      };
      const listed = () => {
        pages += 1;
        const tools = [{ name: `t${pages}`, inputSchema: { type: 'object' } }];
        return { tools, nextCursor: String(pages) };
      };
      const answer = method === 'tools/list' ? { result: listed() } : { result: initialized };
      const unknown = { error: { code: -32601, message: 'no' } };
      const isKnown = method === 'initialize' || method === 'tools/list';
      res
        .writeHead(200, json)
        .end(JSON.stringify({ jsonrpc: '2.0', id, ...(isKnown ? answer : unknown) }));
    });
    const made = await registered(server, api, { url: other.url });
    const path = await managed(server, 'acme', `/${made.id}`);
    const asked = await api('GET', `${path}/tools`);
    expect([200, 502]).toContain(asked.status);
    expect(pages).toBeGreaterThan(1);
    expect(pages).toBeLessThan(50);
  });
});

describe('a hanging upstream', () => {
  it('MUST be left alone after a few failures, and harm neither other servers nor sign-in (R26)', async () => {
    const hanging = await upstream(() => {});
    const good = await upstream(exampleMcp());
    const bad = await registered(server, api, { url: hanging.url });
    const fine = await registered(server, api, { url: good.url });
    const badPath = await managed(server, 'acme', `/${bad.id}`);
    const finePath = await managed(server, 'acme', `/${fine.id}`);
    const waiting = Array.from({ length: 6 }, () => api('GET', `${badPath}/tools`));
    const started = performance.now();
    expect(await api('GET', `${finePath}/tools`)).toMatchObject({ status: 200 });
    await signedIn(server);
    expect(performance.now() - started).toBeLessThan(3000);
    const answers = await Promise.all(waiting);
    expect(answers.every(({ status }) => status === 502 || status === 503)).toBe(true);
    const contacts = hanging.requests.length;
    const resting = await api('GET', `${badPath}/tools`);
    expect(resting.status).toBe(503);
    expect(Number(resting.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(hanging.requests.length).toBe(contacts);
    server.advance(31);
    expect(await api('GET', `${badPath}/tools`)).toMatchObject({ status: 502 });
    expect(hanging.requests.length).toBeGreaterThan(contacts);
  }, 20_000);
});

describe('GET …/icon', () => {
  const red = { create: { width: 300, height: 200, channels: 3, background: 'red' } } as const;

  async function withIcon(bytes: Buffer, type = 'image/png') {
    const other = await upstream(
      exampleMcp({
        rest: (req, res) => {
          if (req.url === '/favicon.ico') res.writeHead(200, { 'content-type': type }).end(bytes);
          else res.writeHead(404).end();
        },
      }),
    );
    const { path, test } = await tested(other.url);
    expect(test.body).toMatchObject({ success: true });
    const { body } = await api('GET', path);
    return { path, iconUrl: body.iconUrl, other };
  }

  it('MUST serve a small PNG made anew to whoever has the token, and nothing without (T28)', async () => {
    const { path, iconUrl, other } = await withIcon(await sharp(red).png().toBuffer());
    expect(iconUrl).toMatch(new RegExp(`^${server.url}${path}/icon\\?token=[\\w-]{43}$`));
    const answer = await fetch(String(iconUrl));
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'public, max-age=604800, immutable',
    });
    const { width, height, format } = await sharp(await answer.arrayBuffer()).metadata();
    expect({ width, height, format }).toEqual({ width: 64, height: 43, format: 'png' });
    const flipped = String(iconUrl).replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'));
    for (const wrong of [
      flipped,
      `${server.url}${path}/icon?token=`,
      `${server.url}${path}/icon`,
    ]) {
      expect((await fetch(wrong)).status).toBe(404);
    }
    const second = await registered(server, api, { url: other.url });
    const foreign = String(iconUrl).replace(/\/\d+\/icon/, `/${second.id}/icon`);
    expect((await fetch(foreign)).status).toBe(404);
  });

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ['SVG', () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
    ['HTML', () => Buffer.from('<script>alert(1)</script>')],
    ['half a PNG', async () => (await sharp(red).png().toBuffer()).subarray(0, 60)],
    [
      '65,535 pictures',
      () => Buffer.concat([Buffer.from([0, 0, 1, 0, 255, 255]), Buffer.alloc(60_000)]),
    ],
    [
      '9 million pixels',
      () =>
        sharp({ create: { ...red.create, width: 3000, height: 3000 } })
          .png()
          .toBuffer(),
    ],
    ['more bytes than are read', () => Buffer.alloc(100_000, 7)],
  ])('a picture that is %s MUST be none', async (_, make) => {
    const { iconUrl } = await withIcon(await make());
    expect(iconUrl).toBeNull();
  });

  it('MUST be forgotten with the URL', async () => {
    const { path, iconUrl } = await withIcon(await sharp(red).png().toBuffer());
    const { body } = await api('GET', path);
    const list = await api('GET', '/api/mcp-servers?limit=200');
    expect(JSON.stringify(list.body)).toContain(String(body.url));
    const { items } = JSON.parse(JSON.stringify(list.body));
    const row = items.find(({ url }: { url: string }) => url === body.url);
    await api('PATCH', `/api/mcp-servers/${row.id}`, { url: `${body.url}2` });
    expect(await api('GET', path)).toMatchObject({ body: { iconUrl: null } });
    expect((await fetch(String(iconUrl))).status).toBe(404);
  });

  it('MUST NOT be open to an access token in its place', async () => {
    const { path } = await withIcon(await sharp(red).png().toBuffer());
    expect(await api('GET', `${path}/icon`)).toMatchObject({ status: 404 });
    expect((await call(server, `${path}/icon?token=x&token=y`)).status).toBe(400);
  });
});
