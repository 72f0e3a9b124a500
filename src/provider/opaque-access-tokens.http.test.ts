import { afterAll, beforeAll, expect, test } from 'vitest';
import { good, tokens } from './flow.testing.ts';
import { startServer, type TestServer, webSecret } from './server.testing.ts';

let server: TestServer;
const boards = 'https://boards.test/mcp';

beforeAll(async () => {
  server = await startServer({
    resources: `
  - slug: boards
    uri: ${boards}
    token_format: opaque
    token_prefix: cp
    scopes: [{ name: access_boards }]
    clients: [RS1]`,
  });
});
afterAll(() => server.close());

async function introspect(token: string, client = 'RS1'): Promise<unknown> {
  const credentials = { client_id: client, client_secret: webSecret };
  const response = await server.post('/oauth/introspect', { token, ...credentials });
  return response.json();
}

test('a resource with opaque tokens gets <prefix>_oat_… tokens that its own server can introspect', async () => {
  const issued = await tokens(server, good({ resource: boards, scope: 'access_boards' }));
  expect(issued.access_token).toMatch(/^cp_oat_[0-9A-Za-z]{49}$/);
  expect(await introspect(issued.access_token)).toMatchObject({
    active: true,
    aud: boards,
    client_id: 'PUB',
    scope: 'access_boards',
    token_type: 'Bearer',
  });
  expect(await introspect(issued.access_token, 'WEB')).toEqual({ active: false });
});

test('an opaque token MUST be stored as a hash only', async () => {
  const issued = await tokens(server, good({ resource: boards, scope: 'access_boards' }));
  for (const table of ['issuances', 'artifacts', 'families', 'audit_events'] as const) {
    const rows = await server.db.kysely.selectFrom(table).selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(issued.access_token);
  }
});

test('a truncated, extended or revoked opaque token MUST be inactive', async () => {
  const issued = await tokens(server, good({ resource: boards, scope: 'access_boards' }));
  const token = issued.access_token;
  expect(await introspect(token.slice(0, -1))).toEqual({ active: false });
  expect(await introspect(`${token}0`)).toEqual({ active: false });
  expect(await introspect(`${token} `)).toEqual({ active: false });
  await server.post('/oauth/revoke', { token, client_id: 'PUB' });
  expect(await introspect(token)).toEqual({ active: false });
});
