import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FilesServer, ours, startFilesServer, theirs } from './support/files-server.ts';
import { mcpHttp, rpc, textOf } from './support/mcp-http.ts';

let files: FilesServer;
beforeAll(async () => {
  files = await startFilesServer({ dailyCap: 60, sessions: { perOwner: 3 } });
});
afterAll(async () => {
  await files.close();
});

/** A fresh person in a workspace, so that tests do not share sessions. */
let people = 0;
const somebody = (workspaceId = ours, scope?: string) => {
  people += 1;
  const sub = `usr_${people}`;
  const token = files.desk.issue({ workspaceId, sub, scope });
  return { token, sub, ...mcpHttp(files.resource, token) };
};

const list = { jsonrpc: '2.0', id: 7, method: 'tools/list' };

describe('the handshake', () => {
  test.each(['2025-06-18', '2025-03-26', '2024-11-05'])('speaks %s', async (version) => {
    const { response, session } = await somebody().initialize(version);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(session).toMatch(/^[!-~]{36,}$/);
    expect((await rpc(response)).result).toMatchObject({ protocolVersion: version });
  });

  test.each(['2025-11-25', '2026-07-28', '2030-01-01', '1999-01-01'])(
    'offers 2025-06-18 to a client of %s',
    async (version) => {
      const { response } = await somebody().initialize(version);
      expect((await rpc(response)).result).toMatchObject({ protocolVersion: '2025-06-18' });
    },
  );

  test('offers tools, and neither prompts nor resources', async () => {
    const { initialize, send } = somebody();
    const { response, session } = await initialize();
    expect(Object.keys(Object((await rpc(response)).result?.capabilities))).toEqual(['tools']);
    for (const method of ['prompts/list', 'resources/list', 'resources/templates/list']) {
      const asked = await send('POST', { 'mcp-session-id': session }, { ...list, method });
      expect((await rpc(asked)).error?.code).toBe(-32601);
    }
  });

  test('answers the initialized notification 202 and then tools/list as an event stream', async () => {
    const { initialize, send } = somebody();
    const { session } = await initialize();
    const headers = { 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' };
    const notified = await send('POST', headers, {
      jsonrpc: '2.0',
      method: 'notifications/initialized',
    });
    expect([notified.status, await notified.text()]).toEqual([202, '']);
    const listed = await send('POST', headers, list);
    expect(listed.headers.get('content-type')).toBe('text/event-stream');
    expect((await rpc(listed)).result?.tools).toHaveLength(19);
  });
});

describe('a session', () => {
  test('is required after initialize: 400 without its id, 404 with another', async () => {
    const { send } = somebody();
    expect((await send('POST', {}, list)).status).toBe(400);
    expect((await send('GET', {})).status).toBe(400);
    expect((await send('DELETE', {})).status).toBe(400);
    const unknown = { 'mcp-session-id': 'no-such-session' };
    expect((await send('POST', unknown, list)).status).toBe(404);
    expect((await send('GET', unknown)).status).toBe(404);
    expect((await send('DELETE', unknown)).status).toBe(404);
  });

  test('refuses a protocol version that it does not speak', async () => {
    const { initialize, send } = somebody();
    const { session } = await initialize();
    const headers = { 'mcp-session-id': session, 'mcp-protocol-version': '1999-01-01' };
    expect((await send('POST', headers, list)).status).toBe(400);
  });

  test('has one stream by GET, and ends by DELETE', async () => {
    const { initialize, send } = somebody();
    const { session } = await initialize();
    const headers = { 'mcp-session-id': session };
    const stream = await send('GET', headers);
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect((await send('GET', headers)).status).toBe(409);
    const ended = await send('DELETE', headers);
    expect(ended.status).toBe(200);
    expect(await stream.text()).toBe('');
    expect((await send('POST', headers, list)).status).toBe(404);
  });

  test.each([
    ['of somebody else in the workspace', { workspaceId: ours, sub: 'usr_thief' }],
    ['of the same person in another workspace', { workspaceId: theirs }],
  ])('does not open for the credential %s', async (_whose, other) => {
    const owner = somebody();
    const { session } = await owner.initialize();
    const content = { path: 'own.txt', content: 'ours', overwrite: true };
    await (await owner.call(session, 'write_file', content)).text();
    const thief = mcpHttp(files.resource, files.desk.issue({ sub: owner.sub, ...other }));
    const headers = { 'mcp-session-id': session };
    expect((await thief.call(session, 'read_file', { path: 'own.txt' })).status).toBe(404);
    expect((await thief.send('GET', headers)).status).toBe(404);
    expect((await thief.send('DELETE', headers)).status).toBe(404);
    expect(textOf(await rpc(await owner.call(session, 'read_file', { path: 'own.txt' })))).toBe(
      'ours',
    );
  });

  test('goes on with another token of the same person in the workspace, and only while it is good', async () => {
    const owner = somebody();
    const { session } = await owner.initialize();
    const token = files.desk.issue({ workspaceId: ours, sub: owner.sub, kind: 'credential' });
    const again = mcpHttp(files.resource, token);
    expect((await again.call(session, 'list_files')).status).toBe(200);
    files.desk.revoke(token);
    expect((await again.call(session, 'list_files')).status).toBe(401);
  });

  test('gives way to newer ones of its owner', async () => {
    const { initialize, call } = somebody();
    const first = await initialize();
    for (const _more of [1, 2, 3]) await initialize();
    expect((await call(first.session, 'list_files')).status).toBe(404);
  });
});

test('two requests with one id at the same moment are answered both, one of them 400', async () => {
  const { initialize, send } = somebody();
  const { session } = await initialize();
  const both = [list, list];
  const answers = await Promise.all(
    both.map(async (body) => {
      const response = await send('POST', { 'mcp-session-id': session }, body);
      return { status: response.status, text: await response.text() };
    }),
  );
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  const batch = await send('POST', { 'mcp-session-id': session }, both);
  expect(batch.status).toBe(400);
  const later = await send('POST', { 'mcp-session-id': session }, list);
  expect((await rpc(later)).result?.tools).toHaveLength(19);
});

test('sessions that are idle for too long end, unless a stream is open', async () => {
  let time = Date.now();
  const short = await startFilesServer({ sessions: { idle: 60_000 }, clock: () => new Date(time) });
  const token = short.desk.issue({ workspaceId: ours, expiresIn: 9000 });
  const { initialize, send, call } = mcpHttp(short.resource, token);
  const [idle, listening] = [await initialize(), await initialize()];
  await idle.response.text();
  await listening.response.text();
  const stream = await send('GET', { 'mcp-session-id': listening.session });
  await wait(50);
  time += 61_000;
  await short.sweep();
  expect((await call(idle.session, 'list_files')).status).toBe(404);
  expect((await call(listening.session, 'list_files')).status).toBe(200);
  await stream.body?.cancel();
  await short.close();
});

test('a stream ends with the token that opened it', async () => {
  const token = files.desk.issue({ workspaceId: ours, sub: 'usr_short', expiresIn: 1 });
  const { initialize, send } = mcpHttp(files.resource, token);
  const { session } = await initialize();
  const stream = await send('GET', { 'mcp-session-id': session });
  expect(await stream.text()).toBe('');
});

describe('wrong requests', () => {
  test('without a token get 401 with the way to sign in, whatever else is wrong', async () => {
    const response = await fetch(files.resource, { method: 'POST', body: 'x' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain(
      `resource_metadata="${new URL('/.well-known/oauth-protected-resource/mcp', files.resource)}"`,
    );
    expect((await fetch(files.resource)).status).toBe(401);
    const metadata = await fetch(
      new URL('/.well-known/oauth-protected-resource/mcp', files.resource),
    );
    expect(await metadata.json()).toMatchObject({
      resource: files.resource,
      scopes_supported: ['files:read', 'files:write'],
    });
  });

  test.each([
    ['POST', 'application/json', 406],
    ['POST', 'text/event-stream', 406],
    ['POST', '*/*', 406],
    ['POST', undefined, 406],
    ['GET', 'application/json', 406],
  ])('%s with Accept %s get %i', async (method, accept, status) => {
    const { initialize, send } = somebody();
    const { session } = await initialize();
    const response = await send(
      method,
      { 'mcp-session-id': session, accept },
      method === 'POST' ? list : undefined,
    );
    expect(response.status).toBe(status);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', ''])(
    'with the content type %j get 415',
    async (type) => {
      const body = JSON.stringify(list);
      expect((await somebody().send('POST', { 'content-type': type }, body)).status).toBe(415);
    },
  );

  test.each(['PUT', 'PATCH', 'HEAD'])('by %s get 405 naming what is allowed', async (method) => {
    const response = await fetch(files.resource, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([
      405,
      'GET, POST, DELETE, OPTIONS',
    ]);
  });

  test.each(['{', '[]', '1', '{"jsonrpc":"2.0"}', 'null'])(
    'with the body %j get 400',
    async (body) => {
      const { initialize, send } = somebody();
      const { session } = await initialize();
      expect((await send('POST', { 'mcp-session-id': session }, body)).status).toBe(400);
    },
  );

  test('at the bare host or another path get 404 that names the endpoint', async () => {
    const response = await fetch(new URL('/', files.resource));
    expect([response.status, await response.text()]).toEqual([
      404,
      expect.stringContaining(files.resource),
    ]);
    expect((await fetch(new URL('/health', files.resource))).status).toBe(200);
  });

  test('with a token for no workspace get 403 that says so', async () => {
    const { initialize } = mcpHttp(files.resource, files.desk.issue({}));
    const { response } = await initialize();
    expect([response.status, await response.text()]).toEqual([
      403,
      expect.stringContaining('for no workspace'),
    ]);
  });

  test.each(['..', '../x', 'not-a-uuid', `${ours}/..`])(
    'with a workspace id %j that is none get 403',
    async (workspaceId) => {
      const { initialize } = mcpHttp(files.resource, files.desk.issue({ workspaceId }));
      expect((await initialize()).response.status).toBe(403);
    },
  );
});

describe('scopes', () => {
  test('files:read does not write: a true 403 before anything happens', async () => {
    const { initialize, call } = somebody(ours, 'files:read');
    const { session } = await initialize();
    const refused = await call(session, 'write_file', { path: 'x.txt', content: 'x' });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toContain('scope="files:write"');
    expect((await call(session, 'list_files')).status).toBe(200);
  });

  test('files:write includes files:read', async () => {
    const { initialize, call } = somebody(ours, 'files:write');
    const { session } = await initialize();
    expect((await call(session, 'list_files')).status).toBe(200);
  });

  test('a tool that does not exist opens nothing', async () => {
    const { initialize, call } = somebody();
    const { session } = await initialize();
    const response = await call(session, 'run_command', {});
    const text = await response.text();
    expect(response.status === 403 || text.includes('error')).toBe(true);
  });
});

test('pages of any origin may call, and see the session id', async () => {
  const preflight = await fetch(files.resource, {
    method: 'OPTIONS',
    headers: { origin: 'https://inspector.test', 'access-control-request-method': 'POST' },
  });
  expect(preflight.headers.get('access-control-allow-headers')).toMatch(/mcp-session-id/i);
  const { response } = await somebody().initialize();
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(response.headers.get('access-control-expose-headers')).toMatch(/mcp-session-id/i);
});
