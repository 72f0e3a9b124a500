import { createHash } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSdkClient } from '../examples/demo/sdk-client.ts';
import { type FilesStage, openFilesStage } from './support/files-stage.ts';
import { connectV1, connectV2, type ToolClient } from './support/header-clients.ts';
import { createVisitor } from './support/visitor.ts';

const tools = [
  'abort_upload_session',
  'complete_upload_session',
  'copy_file',
  'create_directory',
  'create_upload_session',
  'delete_file',
  'delete_lines',
  'find_replace',
  'get_file_info',
  'get_reconnect_url',
  'get_upload_status',
  'insert_after_pattern',
  'insert_lines',
  'list_files',
  'move_file',
  'read_file',
  'replace_lines',
  'search_files',
  'write_file',
];
const metadata = {
  client_name: 'Files e2e client',
  redirect_uris: ['http://127.0.0.1:7777/callback'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

let stage: FilesStage;
beforeAll(async () => {
  stage = await openFilesStage();
});
afterAll(async () => {
  await stage?.close();
});

type Caller = Pick<ToolClient, 'listTools' | 'callTool'>;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Calls each of the 19 tools once or more in the directory `at`, and checks what the files are then. */
async function driveAllTools(client: Caller, at: string): Promise<void> {
  const used = new Set<string>();
  const call = async (name: string, parameters: Record<string, unknown> = {}) => {
    used.add(name);
    return client.callTool(name, parameters);
  };
  const json = async (name: string, parameters: Record<string, unknown> = {}) =>
    JSON.parse(await call(name, parameters));
  const text = async (path: string) =>
    readFile(join(stage.root, stage.workspaces.harbour, path), 'utf8');
  const [notes, moved] = [`${at}/notes.txt`, `${at}/deep/moved.txt`];

  expect((await client.listTools()).sort()).toEqual(tools);
  await json('create_directory', { path: `${at}/empty/inside` });
  await json('write_file', { path: notes, content: 'one\ntwo\n' });
  await expect(call('write_file', { path: notes, content: 'lost' })).rejects.toThrow('overwrite');
  await json('insert_lines', { path: notes, line: 3, content: 'three\nfour' });
  await json('replace_lines', { path: notes, start_line: 1, end_line: 1, content: 'ONE' });
  await json('delete_lines', { path: notes, start_line: 4, end_line: 4 });
  await json('find_replace', { path: notes, find: 't', replace: 'T' });
  await json('insert_after_pattern', { path: notes, pattern: 'ONE', content: 'one and a half' });
  const expected = 'ONE\none and a half\nTwo\nThree\n';
  expect(await text(notes)).toBe(expected);
  expect(await call('read_file', { path: notes })).toContain(expected);

  expect(await json('get_file_info', { path: notes })).toMatchObject({
    type: 'file',
    lines: 4,
    sha256: sha256(expected),
  });
  await json('copy_file', { from: notes, to: `${at}/copy.txt` });
  await json('move_file', { from: notes, to: moved });
  const { entries } = await json('list_files', { path: at, recursive: true });
  expect(entries.map(({ path }: { path: string }) => path)).toEqual([
    `${at}/copy.txt`,
    `${at}/deep`,
    moved,
    `${at}/empty`,
    `${at}/empty/inside`,
  ]);
  const { matches } = await json('search_files', { query: 'THREE', path: at });
  expect(matches).toMatchObject([
    { path: `${at}/copy.txt`, line: 4 },
    { path: moved, line: 4 },
  ]);
  await json('delete_file', { path: `${at}/copy.txt` });
  await json('delete_file', { path: `${at}/empty`, recursive: true });
  await expect(call('read_file', { path: `${at}/copy.txt` })).rejects.toThrow('does not exist');

  const content = 'sent apart\n'.repeat(1000);
  const size = content.length;
  const aborted = await json('create_upload_session', { path: `${at}/never`, size });
  await json('abort_upload_session', { upload_id: aborted.upload_id });
  const upload = await json('create_upload_session', { path: `${at}/upload.txt`, size });
  const authorization = `Bearer ${upload.upload_token}`;
  await fetch(upload.upload_url, { method: 'PUT', body: content, headers: { authorization } });
  const about = { upload_id: upload.upload_id };
  expect(await json('get_upload_status', about)).toMatchObject({ received: size, complete: true });
  await json('complete_upload_session', { ...about, sha256: sha256(content) });
  expect(await text(`${at}/upload.txt`)).toBe(content);

  const { url } = await json('get_reconnect_url');
  expect(url.startsWith(`${stage.issuer}/`)).toBe(true);
  expect([...used].sort()).toEqual(tools);
}

describe('all 19 tools', () => {
  test.each([
    ['1.x', connectV1],
    ['2.x', connectV2],
  ])('with a workspace credential in the header, by SDK %s', async (version, connect) => {
    const { credential } = await stage.credential('harbour');
    const client = await connect(stage.mcpUrl, `Bearer ${credential}`);
    await driveAllTools(client, `credential-${version}`);
    await client.close();
  });

  test('with a personal access token', async () => {
    const client = await connectV2(stage.mcpUrl, `Bearer ${await stage.personalToken('harbour')}`);
    await driveAllTools(client, 'personal');
    await client.close();
  });

  test('with an OAuth token for the workspace that the person chose', async () => {
    const person = stage.person();
    const client = createSdkClient({
      mcpUrl: stage.mcpUrl,
      metadata,
      openBrowser: (url) => person.authorize(url, { workspace: stage.workspaces.harbour }),
    });
    await client.connect();
    expect(client.tokens().access_token).toMatch(/^ws_oat_/);
    await driveAllTools(client, 'oauth');
    await client.close();
  });
});

describe('two workspaces', () => {
  test('share nothing: files of one are not in the other, and no path leads there', async () => {
    const harbour = await connectV2(stage.mcpUrl, `Bearer ${await stage.personalToken('harbour')}`);
    const orchard = await connectV2(stage.mcpUrl, `Bearer ${await stage.personalToken('orchard')}`);
    await harbour.callTool('write_file', { path: 'own.txt', content: 'of the harbour' });
    const home = stage.workspaces.harbour;
    for (const path of [
      'own.txt',
      `../${home}/own.txt`,
      `${home}/own.txt`,
      join(stage.root, home, 'own.txt'),
    ]) {
      await expect(orchard.callTool('read_file', { path })).rejects.toThrow(
        /does not exist|The path/,
      );
    }
    await mkdir(join(stage.root, stage.workspaces.orchard), { recursive: true });
    await symlink(join(stage.root, home), join(stage.root, stage.workspaces.orchard, 'door'));
    await expect(orchard.callTool('read_file', { path: 'door/own.txt' })).rejects.toThrow('link');
    await harbour.close();
    await orchard.close();
  });

  test('a session does not open with a credential of the other workspace', async () => {
    const { credential: harbour } = await stage.credential('harbour');
    const { credential: orchard } = await stage.credential('orchard');
    const send = (credential: string, session: string | undefined, method: string) =>
      fetch(stage.mcpUrl, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${credential}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          ...(session !== undefined && { 'mcp-session-id': session }),
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method,
          params: {
            protocolVersion: '2025-06-18',
            capabilities: {},
            clientInfo: { name: 'thief', version: '1' },
          },
        }),
      });
    const session = (await send(harbour, undefined, 'initialize')).headers.get('mcp-session-id');
    expect((await send(harbour, session ?? '', 'tools/list')).status).toBe(200);
    expect((await send(orchard, session ?? '', 'tools/list')).status).toBe(404);
  });
});

test('a regenerated credential takes the place of the one before at once, in open sessions too', async () => {
  const first = await stage.credential('harbour');
  const client = await connectV2(stage.mcpUrl, `Bearer ${first.credential}`);
  await client.callTool('list_files');
  const second = await stage.credential('harbour');
  await expect(client.callTool('list_files')).rejects.toThrow();
  const again = await connectV2(stage.mcpUrl, `Bearer ${second.credential}`);
  await again.callTool('list_files');
  await again.close();
});

test('an upload goes on after a restart of the server', async () => {
  const authorization = `Bearer ${await stage.personalToken('harbour')}`;
  const before = await connectV2(stage.mcpUrl, authorization);
  const upload = JSON.parse(
    await before.callTool('create_upload_session', { path: 'restarted.txt', size: 10 }),
  );
  const send = (offset: number, body: string) =>
    fetch(upload.upload_url, {
      method: 'PUT',
      body,
      headers: { authorization: `Bearer ${upload.upload_token}`, 'upload-offset': String(offset) },
    });
  expect((await send(0, '01234')).status).toBe(200);
  await stage.restartFiles();
  expect((await send(5, '56789')).status).toBe(200);
  const after = await connectV2(stage.mcpUrl, authorization);
  const about = { upload_id: upload.upload_id, sha256: sha256('0123456789') };
  await after.callTool('complete_upload_session', about);
  expect(await after.callTool('read_file', { path: 'restarted.txt' })).toContain('0123456789');
  await after.close();
});

describe('a reconnect link', () => {
  const askFor = async () => {
    const { credential } = await stage.credential('harbour');
    const client = await connectV2(stage.mcpUrl, `Bearer ${credential}`);
    const { url } = JSON.parse(await client.callTool('get_reconnect_url'));
    await client.close();
    return { url: String(url), credential };
  };

  test('shows its owner a fresh token once, which opens the same workspace; the default stays', async () => {
    await writeFile(join(stage.root, stage.workspaces.harbour, 'mark.txt'), 'the harbour');
    const { url, credential } = await askFor();
    const visitor = createVisitor({
      issuer: stage.issuer,
      email: 'ada@example.com',
      password: stage.password,
    });
    await visitor.open(url);
    const shown = await visitor.submit({ decision: 'connect' });
    const fresh = /wsc_[0-9a-z]{12}\.[0-9A-Za-z]{49}/.exec(shown)?.[0] ?? '';
    expect(fresh).not.toBe(credential);
    for (const token of [fresh, credential]) {
      const client = await connectV2(stage.mcpUrl, `Bearer ${token}`);
      expect(await client.callTool('read_file', { path: 'mark.txt' })).toContain('the harbour');
      await client.close();
    }
    await visitor.open(url);
    expect(visitor.text()).toContain('does not work');
  });

  test('shows somebody else nothing', async () => {
    const { url } = await askFor();
    const visitor = createVisitor({
      issuer: stage.issuer,
      email: 'grace@example.com',
      password: stage.password,
    });
    await visitor.open(url);
    expect(visitor.text()).toContain('does not work');
    expect(visitor.text()).not.toMatch(/wsc_/);
  });
});
