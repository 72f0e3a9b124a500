import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import { code, good, redeem, refresh, tokens } from './flow.testing.ts';
import { startServer, type TestServer } from './server.testing.ts';
import { ofRequests } from './statements.testing.ts';

const opaque = 'https://opaque.test/mcp';
let server: TestServer;
const statements: string[] = [];
beforeAll(async () => {
  const db = await testDatabase({ onQuery: ({ name }) => statements.push(name) });
  server = await startServer({
    db,
    resources: `
  - { slug: opaque, uri: "${opaque}", token_format: opaque, clients: [RS1], scopes: [{ name: "op:use" }] }`,
  });
  await server.app.scheduler.stop(); // its statements would be counted too
});
afterAll(() => server.close());

/** The statements that a request sends to the database. */
async function during(request: () => Promise<Response>): Promise<string[]> {
  statements.length = 0;
  const response = await request();
  expect(response.status).toBe(200);
  return ofRequests(statements);
}

test('a refresh costs two round trips: one that reads everything, one that writes everything', async () => {
  const { refresh_token: first } = await tokens(server);
  server.advance(2); // whatever is cached for a moment only is forgotten
  expect(await during(() => refresh(server, first))).toEqual([
    'authserver_read_source',
    'authserver_commit_exchange',
  ]);
});

test('a code exchange costs two round trips', async () => {
  const flow = good();
  const value = await code(server, flow);
  server.advance(2);
  expect(await during(() => redeem(server, flow, value))).toEqual([
    'authserver_read_source',
    'authserver_commit_exchange',
  ]);
});

test.each([
  ['a JWT', good()],
  ['an opaque', good({ resource: opaque, scope: 'op:use' })],
])('introspection of %s access token is one read and no write', async (_format, flow) => {
  const { access_token: token } = await tokens(server, flow);
  const credentials = { client_id: 'RS1', client_secret: 'web-secret-0123456789' };
  await server.post('/oauth/introspect', { token, ...credentials });
  const sent = await during(() => server.post('/oauth/introspect', { token, ...credentials }));
  expect(sent).not.toContain('authserver_commit_exchange');
  expect(sent).toEqual(['authserver_read_issuance']);
});
