import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../examples/demo/ports.ts';
import { createSdkClient } from '../examples/demo/sdk-client.ts';
import { type BoardsStage, openBoardsStage } from './support/boards-stage.ts';
import { launchBrowser, openPage, signIn } from './support/browser.ts';
import { createClientHome } from './support/command-line-client.ts';
import { connectV1, connectV2, type ToolClient } from './support/header-clients.ts';
import { startInspectorWith } from './support/inspector.ts';
import { startMcpRemote } from './support/mcp-remote.ts';
import { createV1Client } from './support/mcp-v1.ts';
import { startPostgres } from './support/postgres.ts';

const tools = [
  'get_workspace_info',
  'list_boards',
  'list_rows',
  'list_tables',
  'search',
  'search_docs',
];
const metadata = {
  client_name: 'Boards e2e client',
  redirect_uris: ['http://127.0.0.1:7777/callback'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

let stage: BoardsStage;
beforeAll(async () => {
  stage = await openBoardsStage();
});
afterAll(async () => {
  await stage?.close();
});

/** One JSON-RPC call over plain HTTP, as `curl` would do it. */
function call(
  authorization: string | undefined,
  { tool, to = stage.mcpUrl }: { tool?: string; to?: string } = {},
): Promise<Response> {
  const params = tool && { name: tool, arguments: { query: 'a', board_id: 'a', table_id: 'a' } };
  const method = tool ? 'tools/call' : 'tools/list';
  return fetch(to, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(authorization !== undefined && { authorization }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, ...(params && { params }) }),
  });
}

/** Walks the discovery flow and calls every tool; answers what identifies the workspace. */
async function driveAllTools(client: Pick<ToolClient, 'listTools' | 'callTool'>) {
  expect((await client.listTools()).sort()).toEqual(tools);
  const ask = async (name: string, parameters?: Record<string, unknown>) =>
    JSON.parse(await client.callTool(name, parameters));
  const info = await ask('get_workspace_info');
  const boards = await ask('list_boards');
  expect(boards).toHaveLength(2);
  const tables = await ask('list_tables', { board_id: boards[0].id });
  expect(tables).toHaveLength(2);
  const rows = await ask('list_rows', { table_id: tables[0].id, limit: 3 });
  expect(rows).toHaveLength(3);
  const [found] = await ask('search', { query: 'QUAYSIDE' });
  expect(found.cells.title).toBe('Quayside Books');
  const docs = await ask('search_docs', { query: 'before every launch' });
  expect(docs).toMatchObject([{ title: 'Handbook' }]);
  const ids: string[] = [...boards, ...tables, ...rows, found, ...docs].map(({ id }) => id);
  return { info, boardId: boards[0].id, tableId: tables[0].id, ids };
}

describe.each([
  // With a refresh token, 1.x refreshes where it should step up.
  ['1.x', connectV1, createV1Client, ['authorization_code']],
  ['2.x', connectV2, createSdkClient, ['authorization_code', 'refresh_token']],
] as const)('the official SDK %s', (_generation, connect, create, grantTypes) => {
  test('drives all six tools with a personal access token in a header', async () => {
    const { token } = await stage.makePat();
    expect(token).toMatch(/^cp_pat_/);
    const client = await connect(stage.mcpUrl, `Bearer ${token}`);

    const { info } = await driveAllTools(client);

    expect(info).toEqual({
      workspace: { id: stage.workspaces.harbour, name: 'Harbour Studio', boards: 2, docs: 2 },
      token: { user: 'ada@example.com', scopes: ['access_boards', 'access_docs'] },
    });
    await client.close();
  });

  test('without a bearer is sent through OAuth, steps up, and drives all six tools', async () => {
    const person = stage.person();
    const client = create({
      mcpUrl: stage.mcpUrl,
      metadata: { ...metadata, grant_types: [...grantTypes] },
      openBrowser: (url) => person.authorize(url, { workspace: stage.workspaces.orchard }),
    });
    await client.connect();
    expect(client.tokens().access_token).toMatch(/^cp_oat_/);
    expect(client.tokens().scope).not.toContain('access_docs');

    const { info } = await driveAllTools(client);

    expect(info.workspace).toMatchObject({ id: stage.workspaces.orchard, name: 'Orchard Lab' });
    expect(client.authorizationUrls()).toHaveLength(2);
    await client.close();
  });
});

test('a person makes a token in the browser, pastes it, and ends it with a button', async () => {
  const browser = await launchBrowser();
  try {
    const { page } = await openPage(browser);
    await page.goto(`${stage.issuer}/account`);
    await signIn(page, 'ada@example.com', stage.password);
    await page.waitForURL(({ pathname }) => pathname === '/account');
    await page.goto(`${stage.issuer}/account/tokens/new?resource=boards`);
    await page.locator('input[name=name]').fill('My laptop');
    await page.locator(`input[name=workspace][value="${stage.workspaces.orchard}"]`).check();
    for (const box of await page.locator('input[name=scope]').all()) await box.check();
    await page.locator('form:has(input[name=name]) button').click();
    const token = await page.locator('textarea#token').inputValue();
    expect(token).toMatch(/^cp_pat_[0-9A-Za-z]{49}$/);

    const client = await connectV1(stage.mcpUrl, `Bearer ${token}`);
    const { info } = await driveAllTools(client);
    expect(info.workspace.name).toBe('Orchard Lab');

    await page.goto(`${stage.issuer}/account`);
    await page.locator('li.token', { hasText: 'My laptop' }).locator('button').click();
    await page.waitForLoadState();
    await expect.poll(async () => (await call(`Bearer ${token}`)).status).toBe(401);
    await client.close();
  } finally {
    await browser.close();
  }
});

describe('401 Unauthorized', () => {
  test('without a token the challenge says where OAuth starts, and which scope to ask for', async () => {
    const response = await call(undefined);
    expect(response.status).toBe(401);
    const challenge = response.headers.get('www-authenticate') ?? '';
    const prm = new URL('/.well-known/oauth-protected-resource/mcp', stage.mcpUrl).href;
    expect(challenge).toContain(`resource_metadata="${prm}"`);
    expect(challenge).toContain('scope="access_boards"');
    expect(challenge).not.toContain('error=');
    expect(await (await fetch(prm)).json()).toMatchObject({
      resource: stage.mcpUrl,
      authorization_servers: [stage.issuer],
      scopes_supported: ['access_boards', 'access_docs'],
    });
  });

  test('clients that never step up can be asked for everything at once', async () => {
    const boards = await stage.startBoards({ BOARDS_INITIAL_SCOPES: 'access_boards access_docs' });
    const response = await call(undefined, { to: boards.url });
    expect(response.headers.get('www-authenticate')).toContain('scope="access_boards access_docs"');
  });

  const typo = (token: string) => `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`;
  test.each([
    ['no scheme', (token: string) => token],
    ['another scheme', (token: string) => `Token ${token}`],
    ['nothing behind the scheme', () => 'Bearer'],
    ['a space inside', (token: string) => `Bearer ${token.slice(0, 20)} ${token.slice(20)}`],
    ['a typing error', (token: string) => `Bearer ${typo(token)}`],
    ['half of it', (token: string) => `Bearer ${token.slice(0, 20)}`],
    ['the placeholder of the documents', () => 'Bearer cp_pat_YOUR_TOKEN_HERE'],
  ])('a malformed header is refused: %s', async (_what, header) => {
    const { token } = await stage.makePat();
    const response = await call(header(token));
    expect([400, 401]).toContain(response.status);
    expect(response.headers.get('www-authenticate')).toContain('resource_metadata=');
  });

  test('an expired token is refused as invalid_token', async () => {
    const token = await stage.mint(2);
    expect(token).toMatch(/^cp_oat_/);
    expect((await call(`Bearer ${token}`)).status).toBe(200);
    await wait(2_500);
    const response = await call(`Bearer ${token}`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test('a revoked personal access token is refused by the very next call', async () => {
    const { token, id } = await stage.makePat();
    const client = await connectV2(stage.mcpUrl, `Bearer ${token}`);
    await client.callTool('list_boards');
    await stage.admin('POST', `/tokens/${id}/revoke`);
    expect((await call(`Bearer ${token}`, { tool: 'list_boards' })).status).toBe(401);
    await expect(client.callTool('list_boards')).rejects.toThrow();
    await client.close();
  });

  test('a connection that is ended takes its tokens along, by the very next call', async () => {
    const person = stage.person();
    const client = createSdkClient({
      mcpUrl: stage.mcpUrl,
      metadata,
      openBrowser: (url) => person.authorize(url, { workspace: stage.workspaces.harbour }),
    });
    await client.connect();
    const { access_token } = client.tokens();
    expect((await call(`Bearer ${access_token}`)).status).toBe(200);
    const { client_id } = client.clientInformation();
    const { items } = await stage.admin('GET', `/grants?client_id=${client_id}`);
    const [grant] = Array.isArray(items) ? items : [];
    await stage.admin('POST', `/grants/${grant.id}/revoke`);
    expect((await call(`Bearer ${access_token}`)).status).toBe(401);
    await client.close();
  });

  test('a member who leaves the workspace is refused by the very next call', async () => {
    const { token } = await stage.makePat({ of: 'grace@example.com' });
    expect((await call(`Bearer ${token}`)).status).toBe(200);
    const members = `/workspaces/${stage.workspaces.harbour}/members`;
    const { items } = await stage.admin('GET', `${members}?q=grace`);
    const [grace] = Array.isArray(items) ? items : [];
    await stage.admin('DELETE', `${members}/${grace.id}`);
    expect((await call(`Bearer ${token}`)).status).toBe(401);
  });

  test('a server that cannot ask about tokens answers 503 and lets nobody in', async () => {
    const { token } = await stage.makePat();
    const boards = await stage.startBoards({ BOARDS_CLIENT_SECRET: 'not the secret' });
    const response = await call(`Bearer ${token}`, { to: boards.url });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).not.toBeNull();
  });
});

describe('403 Forbidden on a tool', () => {
  test.each([
    ['list_boards', 'access_docs', 'access_boards'],
    ['list_tables', 'access_docs', 'access_boards'],
    ['list_rows', 'access_docs', 'access_boards'],
    ['search', 'access_docs', 'access_boards'],
    ['search_docs', 'access_boards', 'access_docs'],
  ])('%s with %s alone names the missing scope %s', async (tool, scope, missing) => {
    const { token } = await stage.makePat({ scope });
    const response = await call(`Bearer ${token}`, { tool });
    expect(response.status).toBe(403);
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain(`scope="${missing}"`);
    expect((await call(`Bearer ${token}`, { tool: 'get_workspace_info' })).status).toBe(200);
  });
});

describe('405 Method Not Allowed', () => {
  test.each(['GET', 'DELETE'])('%s says to use POST, token or not', async (method) => {
    const { token } = await stage.makePat();
    for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
      const response = await fetch(stage.mcpUrl, { method, headers });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toContain('POST');
      expect(response.headers.has('www-authenticate')).toBe(false);
    }
  });

  test('there is no session: calls need no handshake, and no Mcp-Session-Id is given', async () => {
    const { token } = await stage.makePat();
    const response = await call(`Bearer ${token}`, { tool: 'list_boards' });
    expect(response.status).toBe(200);
    expect(response.headers.has('mcp-session-id')).toBe(false);
  });

  test('/health answers without a token', async () => {
    const response = await fetch(new URL('/health', stage.mcpUrl));
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });
});

describe('tools missing in the client', () => {
  test('the whole catalog is there whatever the scopes, as the Inspector shows', async () => {
    const { token } = await stage.makePat({ scope: 'access_docs' });
    const home = await createClientHome();
    try {
      const header = `Authorization: Bearer ${token}`;
      const server = [
        ...['--server-url', stage.mcpUrl, '--transport', 'http'],
        ...['--header', header],
      ];

      const list = startInspectorWith(home, server, ['--method', 'tools/list']);
      expect(await list.exit(), list.stderr()).toBe(0);
      for (const tool of tools) expect(list.stdout()).toContain(`"${tool}"`);

      const call = ['--method', 'tools/call', '--tool-name'];
      const info = startInspectorWith(home, server, [...call, 'get_workspace_info']);
      expect(await info.exit(), info.stderr()).toBe(0);
      expect(info.stdout()).toContain(stage.workspaces.harbour);

      const refused = startInspectorWith(home, server, [...call, 'list_boards']);
      expect(await refused.exit()).not.toBe(0);
    } finally {
      await home.remove();
    }
  });

  test('the JSON that people paste connects', async () => {
    const { token } = await stage.makePat();
    const home = await createClientHome();
    try {
      const file = join(home.directory, 'pasted.json');
      const headers = { Authorization: `Bearer ${token}` };
      const copera = { type: 'http', url: stage.mcpUrl, headers };
      await writeFile(file, JSON.stringify({ mcpServers: { copera } }));
      const list = startInspectorWith(
        home,
        ['--config', file, '--server', 'copera'],
        ['--method', 'tools/call', '--tool-name', 'list_boards'],
      );
      expect(await list.exit(), list.stderr()).toBe(0);
      expect(list.stdout()).toContain('Website launch');
    } finally {
      await home.remove();
    }
  });

  test('the bridge command for clients that speak stdio connects', async () => {
    const { token } = await stage.makePat();
    const home = await createClientHome();
    try {
      const header = `Authorization: Bearer ${token}`;
      const options = { mcpUrl: stage.mcpUrl, callbackPort: await freePort(), header };
      const bridge = startMcpRemote(home, options);
      await bridge.connected;
      expect((await bridge.listTools()).sort()).toEqual(tools);
      expect(await bridge.callTool('list_boards')).toContain('Website launch');
    } finally {
      await home.remove();
    }
  });

  test('a workspace without data has all tools and empty answers', async () => {
    const boards = await stage.startBoards({ BOARDS_SAMPLES: 'off' });
    const { token } = await stage.makePat();
    const client = await connectV2(boards.url, `Bearer ${token}`);
    expect((await client.listTools()).sort()).toEqual(tools);
    expect(JSON.parse(await client.callTool('list_boards'))).toEqual([]);
    expect(JSON.parse(await client.callTool('search_docs', { query: 'a' }))).toEqual([]);
    expect(JSON.parse(await client.callTool('get_workspace_info'))).toMatchObject({
      workspace: { id: stage.workspaces.harbour, boards: 0 },
    });
    await client.close();
  });
});

describe('two workspaces', () => {
  test('see nothing of each other, not even by each other’s ids', async () => {
    const connect = async (workspace: 'harbour' | 'orchard') =>
      connectV2(stage.mcpUrl, `Bearer ${(await stage.makePat({ workspace })).token}`);
    const harbour = await connect('harbour');
    const orchard = await connect('orchard');
    const [here, there] = [await driveAllTools(harbour), await driveAllTools(orchard)];

    expect(here.ids.filter((id) => there.ids.includes(id))).toEqual([]);
    for (const [client, foreign] of [
      [harbour, there],
      [orchard, here],
    ] as const) {
      const { boardId, tableId } = foreign;
      await expect(client.callTool('list_tables', { board_id: boardId })).rejects.toThrow(
        `There is no board ${boardId}`,
      );
      await expect(client.callTool('list_rows', { table_id: tableId })).rejects.toThrow(
        `There is no table ${tableId}`,
      );
      const everything = [
        ...JSON.parse(await client.callTool('search', { query: 'a' })),
        ...JSON.parse(await client.callTool('search_docs', { query: 'a' })),
      ];
      const seen = JSON.stringify(everything);
      for (const id of foreign.ids) expect(seen).not.toContain(`"${id}"`);
      await client.close();
    }
  });

  test.each(["' or workspace_id <> '", '%', '_', '\\', 'a\u0000b', '$1'])(
    'text is never a pattern or SQL: %j',
    async (query) => {
      const { token } = await stage.makePat();
      const client = await connectV2(stage.mcpUrl, `Bearer ${token}`);
      const found = client.callTool('search', { query }).then(JSON.parse);
      if (query.includes('\0')) await expect(found).rejects.toThrow('NUL');
      else expect(await found).toEqual([]);
      await client.close();
    },
  );
});

test('several processes share one Postgres, started at once on an empty database', async () => {
  const postgres = await startPostgres();
  try {
    const dsn = await postgres.createDatabase();
    const start = () => stage.startBoards({ BOARDS_DATABASE_URL: dsn });
    const replicas = await Promise.all([start(), start(), start()]);
    const { token } = await stage.makePat();
    const answers = await Promise.all(
      [...replicas, ...replicas].map(async ({ url }) => {
        const client = await connectV2(url, `Bearer ${token}`);
        const { info, ids } = await driveAllTools(client);
        await client.close();
        return { info, ids };
      }),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const database = new Client({ connectionString: dsn });
    await database.connect();
    const { rows } = await database.query('select workspace_id, name from boards.boards');
    await database.end();
    expect(rows.map(({ name }) => name).sort()).toEqual(['Customers', 'Website launch']);
    expect(new Set(rows.map(({ workspace_id }) => workspace_id))).toEqual(
      new Set([stage.workspaces.harbour]),
    );
    for (const replica of replicas) expect(await replica.stop(), replica.output()).toBe(0);
  } finally {
    await postgres.stop();
  }
});
