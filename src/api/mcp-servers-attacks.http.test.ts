import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signedIn } from '../provider/people.testing.ts';
import { alice, type TestServer } from '../provider/server.testing.ts';
import { memberOf, startWorkspaces } from '../provider/workspaces.testing.ts';
import {
  type ApiClient,
  apiClient,
  managed,
  type OtherServer,
  otherServer,
  registered,
} from './mcp-servers.testing.ts';

let server: TestServer;
let api: ApiClient;
const others: OtherServer[] = [];

beforeAll(async () => {
  server = await startWorkspaces();
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

async function path(url: string, more: object = {}): Promise<string> {
  const made = await registered(server, api, { url, ...more });
  return managed(server, 'acme', `/${made.id}`);
}

const json = { 'content-type': 'application/json' };

it('what a server repeats of the credentials that it was sent MUST NOT be in the log or the answer (U10)', async () => {
  const seen = 'team-0123456789-very-private';
  for (const status of [400, 401, 403, 404, 500]) {
    const other = await upstream((req, res) => {
      res.writeHead(status, json).end(JSON.stringify({ message: 'sent', headers: req.headers }));
    });
    const at = await path(other.url, {
      headers: { 'X-Team': seen },
      apiKey: seen,
      authType: 'api_key',
    });
    const answers = [
      await api('GET', `${at}/tools`),
      await api('POST', `${at}/test`),
      await api('POST', `${at}/enable`),
    ];
    expect(JSON.stringify(other.requests)).toContain(seen);
    expect(JSON.stringify(answers)).not.toContain(seen);
    expect(server.logged()).not.toContain(seen);
  }
});

/** A server that answers the handshake, and this to `tools/list`. */
function withTools(tools: string): Parameters<typeof otherServer>[0] {
  return async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(Buffer.from(chunk));
    if (req.method !== 'POST') return void res.writeHead(405).end();
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString());
    const result =
      method === 'initialize'
        ? '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"x","version":"1"}}'
        : method === 'tools/list'
          ? tools
          : undefined;
    if (id === undefined) return void res.writeHead(202).end();
    if (result === undefined)
      return void res
        .writeHead(200, json)
        .end(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":{"code":-32601,"message":"no"}}`);
    res.writeHead(200, json).end(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`);
  };
}

describe('tools of a hostile server', () => {
  it('that are nested deeper than anybody reads MUST be a refusal and no failure of ours (T28)', async () => {
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    const other = await upstream(
      withTools(`{"tools":[{"name":"t","inputSchema":{"type":"object","properties":${deep}}}]}`),
    );
    const answer = await api('GET', `${await path(other.url)}/tools`);
    expect(answer).toMatchObject({ status: 502, body: { error: 'temporarily_unavailable' } });
  });

  it('are JSON that nobody takes for a page', async () => {
    const name = '"><img src=x onerror=alert(1)>';
    const other = await upstream(
      withTools(JSON.stringify({ tools: [{ name, inputSchema: { type: 'object' } }] })),
    );
    const answer = await api('GET', `${await path(other.url)}/tools`);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('names in a path', () => {
  it.each([
    '/api/mcp-servers/%00',
    '/api/mcp-servers/mcp_%00',
    '/api/v2/w/%00/mcp-servers',
    '/api/v2/w/WS/mcp-servers/-1',
    '/api/v2/w/WS/mcp-servers/2147483648',
    '/api/v2/w/WS/mcp-servers/1.0',
    '/api/v2/w/WS/mcp-servers/1e0',
    '/api/v2/w/WS/mcp-servers/%D9%A1',
    '/api/v2/w/WS/mcp-servers/1%00',
    '/api/v2/w/WS/mcp-servers?sortBy=%00',
    '/api/v2/w/WS/mcp-servers?sortBy=created_at;drop',
    '/api/mcp-servers?q=%00',
    '/api/mcp-servers?workspaceId=%00',
    '/api/mcp-servers?cursor=%00',
    '/api/mcp-servers?cursor=eyJhdCI6IngifQ',
  ])('%s MUST be refused (OV03, AD08)', async (target) => {
    const ws = (await managed(server, 'acme')).split('/')[4] ?? '';
    const answer = await api('GET', target.replace('WS', ws));
    expect([400, 404]).toContain(answer.status);
  });

  it.each([
    '/connect/%00',
    '/connect/servers/%00',
    '/connect/clients/%00',
    '/connect/callback/%00?state=%00',
    '/connect/callback/%FF?state=x',
    '/api/v2/w/%00/mcp-servers/1/icon?token=%00',
    '/api/v2/w/%00/mcp-servers/1/oauth/authorize',
  ])('a browser at %s MUST be refused (OV03)', async (target) => {
    const browser = await signedIn(server);
    const answer = await browser.send(`${server.url}${target}`);
    expect([400, 403, 404]).toContain(answer.status);
  });
});

it.each<[string, object]>([
  ['name', { name: 'a\u0000b' }],
  ['connectorConfig', { connectorConfig: { a: 'x\u0000y' } }],
  ['connectorConfig name', { connectorConfig: { 'x\u0000y': 1 } }],
  ['url', { url: 'https://a.test/\u0000' }],
])('NUL in %s MUST be refused', async (_what, body) => {
  const workspaceId = (await managed(server, 'acme')).split('/')[4] ?? '';
  const sent = { workspaceId, name: 'N', url: 'https://a.example/mcp', ...body };
  expect((await api('POST', '/api/mcp-servers', sent)).status).toBe(400);
});

it('a flood of tiny events MUST be cut off, since each costs more than its bytes (T28)', async () => {
  const other = await upstream(async (req, res) => {
    for await (const _ of req);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: {}\n\n'.repeat(350_000));
  });
  const answer = await api('GET', `${await path(other.url)}/tools`);
  expect(answer).toMatchObject({ status: 502 });
  expect(answer.body.error_description).toMatch(/more than is read/);
}, 30_000);

describe('what a member gives', () => {
  const forbidden = [
    'Host',
    'hOsT',
    'Content-Length',
    'Transfer-Encoding',
    'Cookie',
    'Authorization',
    'Connection',
    'Proxy-Authorization',
    'X-Forwarded-For',
    'Forwarded',
    'Expect',
    'TE',
    'Upgrade',
    'Accept-Encoding',
    'DPoP',
    'Mcp-Session-Id',
    'X: y\r\nHost',
  ];
  it.each(forbidden)('MUST NOT set the header %j', async (name) => {
    const workspaceId = (await managed(server, 'acme')).split('/')[4] ?? '';
    const headers = { [name]: 'v' };
    const sent = { workspaceId, name: 'N', url: 'https://a.example/mcp', headers };
    expect(await api('POST', '/api/mcp-servers', sent)).toMatchObject({ status: 400 });
  });

  it.each([
    'https://a.example:0/',
    'https://u@a.example/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://169.254.169.254/',
    'http://a.example/',
    'https://a.example/#x',
    'https://a.example/%2e%2e/x',
    'https://a.example\\@b.example/',
    'https://a.example./',
    'javascript:alert(1)',
    'file:///etc/passwd',
  ])('MUST NOT be the address %s (U01, CI03)', async (address) => {
    const workspaceId = (await managed(server, 'acme')).split('/')[4] ?? '';
    const good = 'https://a.example/mcp';
    for (const field of ['url', 'oauthTokenEndpoint', 'oauthAuthorizationEndpoint']) {
      const sent = { workspaceId, name: 'N', url: good, [field]: address };
      const answer = await api('POST', '/api/mcp-servers', sent);
      expect(answer).toMatchObject({ status: 400 });
      expect(answer.body.error_description).toContain(field);
    }
  });
});
