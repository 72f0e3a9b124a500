import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { alice } from '../provider/server.testing.ts';
import { memberOf, startWorkspaces, userId, workspaceId } from '../provider/workspaces.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { mcpServers } from './contract/index.ts';
import { signInAs } from './sign-in.testing.ts';

const secret = 'a-key-that-nobody-reads-again';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ start: startWorkspaces });
  await memberOf(api.server, alice, { acme: 'admin', beta: 'member' });
  for (const [slug, name] of [
    ['acme', 'Files'],
    ['acme', 'Boards'],
    ['beta', 'Calendar'],
  ] as const) {
    await register(slug, name);
  }
});
afterAll(() => api.close());

async function register(slug: string, name: string) {
  const id = await userId(api.server, alice);
  const workspace = await workspaceId(api.server, slug);
  const url = `https://${name.toLowerCase()}.example.com/mcp`;
  const input = { name, url, authType: 'api_key' as const, apiKey: secret };
  return api.server.app.rooms.upstream.servers.create(
    { workspaceId: workspace, userId: id, input: { ...input, headers: { 'X-Key': secret } } },
    { actor: { kind: 'user', id }, meta: { at: api.server.now() } },
  );
}

type Asked = z.input<typeof mcpServers.list.query>;
const list = ({ query = {} }: { query?: Asked }) => api.client.call(mcpServers.list, { query });

describe('mcp-servers', () => {
  it('are listed page by page, searched and filtered, and no secret is among them (AD05)', async () => {
    const shown: string[] = [];
    const pages = { limit: 1, sort: 'created_at' } as const;
    for await (const { name } of api.client.each(mcpServers.list, pages)) shown.push(name);
    expect(shown).toEqual(['Files', 'Boards', 'Calendar']);
    for (const q of ['boa', 'HTTPS://BOARDS']) {
      expect((await list({ query: { q } })).items.map(({ name }) => name)).toEqual(['Boards']);
    }
    const beta = await workspaceId(api.server, 'beta');
    const theirs = await list({
      query: { workspace_id: beta, enabled: 'false', state: 'REGISTER' },
    });
    expect(theirs.items.map(({ name }) => name)).toEqual(['Calendar']);
    expect((await list({ query: { auth_type: 'oauth' } })).items).toEqual([]);
    expect((await list({ query: { q: '%' } })).items).toEqual([]);
    const all = JSON.stringify(await list({}));
    expect(all).toContain('"X-Key"');
    expect(all).not.toContain(secret);
  });

  it('gateway clients MUST be set by operators, be registered ones, and be audited', async () => {
    const [row] = (await list({ query: { q: 'Files' } })).items;
    const params = { id: row?.id ?? '' };
    const body = { gateway_clients: ['TOOL', 'TOOL'] };
    const changed = await api.client.call(mcpServers.update, { params, body });
    expect(changed.gateway_clients).toEqual(['TOOL']);
    expect((await api.audited('mcp_server_gateway_clients_changed')).at(-1)).toMatchObject({
      ...{ actor_kind: 'admin', detail: { server_id: row?.id, from: [], to: ['TOOL'] } },
    });
    const unknown = { params, body: { gateway_clients: ['nobody'] } };
    await expect(api.client.call(mcpServers.update, unknown)).rejects.toThrow(/gateway_clients/);
  });

  it('are disabled and deleted, and are then not there', async () => {
    const [row] = (await list({ query: { q: 'Calendar' } })).items;
    const params = { id: row?.id ?? '' };
    expect(await api.client.call(mcpServers.disable, { params, body: {} })).toMatchObject({
      enabled: false,
    });
    expect(await api.client.call(mcpServers.members, { params })).toEqual({ items: [] });
    expect(await api.client.call(mcpServers.remove, { params })).toMatchObject({
      name: 'Calendar',
    });
    await expect(api.client.call(mcpServers.get, { params })).rejects.toThrow(
      /nothing with this id/,
    );
    expect((await api.audited('mcp_server_deleted')).at(-1)).toMatchObject({ actor_kind: 'admin' });
  });

  it('an admin of a workspace MUST see those of that workspace, and change none', async () => {
    const made = await register('beta', 'Hidden');
    const { cookie, csrf } = await signInAs(api.send, alice);
    const path = '/admin/api/mcp-servers';
    const seen = await api.send(path, { headers: { cookie } });
    const items: { id: string; name: string }[] = JSON.parse(seen.body).items;
    expect(items.map(({ name }) => name).toSorted()).toEqual(['Boards', 'Files']);
    const foreign = await api.send(`${path}/${made.publicId}`, { headers: { cookie } });
    expect(foreign.status).toBe(404);
    const change = await api.send(`${path}/${items[0]?.id}/disable`, {
      method: 'POST',
      headers: {
        ...{ cookie, 'x-csrf-token': csrf, origin: api.origin },
        'content-type': 'application/json',
      },
      body: '{}',
    });
    expect(change.status).toBe(403);
  });
});
