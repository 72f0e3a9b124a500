import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorize, code, good, redeem, refresh, type Tokens, tokens } from './flow.testing.ts';
import { rs1, startServer, type TestServer } from './server.testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

test('a person signs in and approves, and the client gets a code with state and iss', async () => {
  const { answer, url } = await authorize(server, good());
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:7777\/cb\?/);
  expect(answer.get('state')).toBe('S1');
  expect(answer.get('iss')).toBe(server.url);
  expect(answer.get('code')).toBeTruthy();
});

test('the code buys a token bound to one resource, and the refresh token buys the next', async () => {
  const flow = good();
  const response = await redeem(server, flow, await code(server, flow));
  const body: Tokens = JSON.parse(await response.text());
  expect(body).toMatchObject({ token_type: 'Bearer', scope: 'mcp:read' });
  expect(decodeJwt(body.access_token)).toMatchObject({
    aud: rs1,
    client_id: 'PUB',
    iss: server.url,
  });
  const next = await refresh(server, body.refresh_token);
  expect(next.status).toBe(200);
  const records = await server.db.kysely
    .selectFrom('issuances')
    .select(['kind', 'grant_type', 'scope', 'resource', 'token_type'])
    .orderBy('issued_at')
    .orderBy('kind')
    .execute();
  const record = { scope: 'mcp:read', resource: rs1, token_type: 'Bearer' };
  expect(records, 'a record of every issued token').toEqual([
    { ...record, kind: 'access_token', grant_type: 'authorization_code' },
    { ...record, kind: 'refresh_token', grant_type: 'authorization_code' },
    { ...record, kind: 'access_token', grant_type: 'refresh_token' },
    { ...record, kind: 'refresh_token', grant_type: 'refresh_token' },
  ]);
});

test('deny goes back to the client with access_denied', async () => {
  const { answer } = await authorize(server, good({ scope: 'mcp:read mcp:write' }), {
    decision: 'deny',
  });
  expect(answer.get('error')).toBe('access_denied');
  expect(answer.get('iss')).toBe(server.url);
  expect(answer.get('state')).toBe('S1');
});

test('tokens can be had twice', async () => {
  await tokens(server);
});
