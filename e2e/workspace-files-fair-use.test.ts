import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ours, startFilesServer, theirs } from './support/files-server.ts';
import { mcpHttp, rpc, textOf } from './support/mcp-http.ts';

test('the daily cap counts tool calls per workspace, survives a restart, and resets at midnight UTC', async () => {
  let time = Date.parse('2026-11-21T20:00:00Z');
  const files = await startFilesServer({ dailyCap: 3, clock: () => new Date(time) });
  const connect = async (workspaceId: string, sub = 'usr_1') => {
    const http = mcpHttp(files.resource, files.desk.issue({ workspaceId, sub, expiresIn: 1e6 }));
    const { response, session } = await http.initialize();
    await response.text();
    const tool = async () => rpc(await http.call(session, 'list_files'));
    const discover = async () =>
      rpc(
        await http.send(
          'POST',
          { 'mcp-session-id': session },
          { jsonrpc: '2.0', id: 1, method: 'tools/list' },
        ),
      );
    const list = { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'list_files' } };
    const refused = async () => {
      const headers = { 'mcp-session-id': session, accept: 'text/event-stream' };
      return (await http.send('POST', headers, list)).status;
    };
    return { tool, discover, refused };
  };

  const first = await connect(ours);
  for (const _more of [1, 2, 3, 4, 5]) expect((await first.discover()).error).toBeUndefined();
  for (const _more of [1, 2, 3]) expect(await first.refused()).toBe(406);
  for (const _more of [1, 2]) expect((await first.tool()).result?.isError).toBeFalsy();
  // The cap is the workspace's: a colleague uses the same one.
  const colleague = await connect(ours, 'usr_2');
  expect((await colleague.tool()).result?.isError).toBeFalsy();

  const over = await first.tool();
  expect(over.result?.isError).toBe(true);
  expect(textOf(over)).toContain('3 tool calls a day');
  expect(textOf(over)).toContain('2026-11-22T00:00:00Z');
  expect((await first.discover()).result?.tools).toHaveLength(19);
  expect((await (await connect(theirs)).tool()).result?.isError).toBeFalsy();

  await files.restart();
  expect((await (await connect(ours)).tool()).result?.isError).toBe(true);

  time = Date.parse('2026-11-22T00:00:01Z');
  await files.sweep();
  expect(await readdir(join(files.root, '.state/caps'))).toEqual([]);
  expect((await (await connect(ours)).tool()).result?.isError).toBeFalsy();
  await files.close();
});

test('get_reconnect_url asks the issuer as this server, for the person behind the call', async () => {
  const files = await startFilesServer();
  const token = files.desk.issue({ workspaceId: ours, sub: 'usr_42', scope: 'files:read' });
  const http = mcpHttp(files.resource, token);
  const { session } = await http.initialize();
  const tool = async () => rpc(await http.call(session, 'get_reconnect_url'));

  expect(JSON.parse(textOf(await tool()))).toEqual({
    url: 'https://auth.test/reconnect/abc',
    expires_at: '2026-11-21T20:00:00Z',
  });
  const asked = files.desk.requests.at(-1);
  expect(asked?.path).toBe(`/api/workspaces/${ours}/reconnect-links`);
  expect(JSON.parse(asked?.body ?? '')).toEqual({ resource: files.resource, sub: 'usr_42' });
  expect(asked?.authorization).toMatch(/^Basic /);

  for (const [status, words] of [
    [503, 'not available'],
    [403, 'gave no reconnect link'],
  ] as const) {
    files.desk.state.reconnectStatus = status;
    const failed = await tool();
    expect([failed.result?.isError, textOf(failed)]).toEqual([
      true,
      expect.stringContaining(words),
    ]);
  }
  await files.close();
});

test('get_reconnect_url says so when the issuer cannot be reached', async () => {
  const files = await startFilesServer();
  const http = mcpHttp(files.resource, files.desk.issue({ workspaceId: ours }));
  const { session } = await http.initialize();
  files.desk.state.linksDown = true;
  const failed = await rpc(await http.call(session, 'get_reconnect_url'));
  expect(failed.result?.isError).toBe(true);
  expect(textOf(failed)).toContain('https://auth.test cannot be reached');
  await files.close();
});
