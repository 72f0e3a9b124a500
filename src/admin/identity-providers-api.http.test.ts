import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silence, startLiar } from '../provider/federation-liar.testing.ts';
import { impatient, providersYaml } from '../provider/federation-setup.testing.ts';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import { identityProviders, trustedIssuers } from './contract/index.ts';

let liar: Awaited<ReturnType<typeof startLiar>>;
let api: TestApi;
const path = '/admin/api/identity-providers';
const secret = 'a-secret-that-nobody-sees';

beforeAll(async () => {
  liar = await startLiar();
  api = await startApi({
    providerRequest: impatient,
    extra: `${providersYaml({ slug: 'declared', issuer: liar.issuer('/declared'), client_secret: secret })}
trusted_issuers: [{ issuer: "https://declared.test" }]`,
  });
});
beforeEach(async () => {
  for (const { slug, source } of api.server.app.rooms.identityProviders.all()) {
    if (source === 'admin')
      await api.client.call(identityProviders.remove, { params: { id: slug } });
  }
});
afterAll(async () => {
  await api.close();
  await liar.close();
});

const create = (slug: string, changes: Record<string, unknown> = {}) =>
  api.post(path, {
    ...{ slug, client_id: 'us', client_secret: secret },
    ...(!changes.issuer && { issuer: liar.issuer(`/${slug}`) }),
    ...changes,
  });

describe('identity providers', () => {
  it('are made, shown, changed, disabled and removed, each recorded, the secret never shown', async () => {
    const made = await create('acme', { roles: { admins: 'owner' }, groups: { eng: 'staff' } });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      ...{ id: 'acme', slug: 'acme', client_id: 'us', has_client_secret: true, enabled: true },
      ...{ source: 'admin', display_name: 'acme', scopes: ['openid', 'profile', 'email'] },
      ...{ roles: { admins: 'owner' }, groups: { eng: 'staff' }, groups_claim: 'groups' },
      ...{ automatic: true, private_network: false },
      callback_url: `${api.server.url}/login/callback/acme`,
    });
    const { call } = api.client;
    const params = { id: 'acme' };
    const body = { display_name: 'Acme', client_secret: 'another-one', automatic: false };
    const changed = await call(identityProviders.update, { params, body });
    expect(changed).toMatchObject({ display_name: 'Acme', automatic: false, client_id: 'us' });
    expect((await call(identityProviders.disable, { params })).enabled).toBe(false);
    expect(api.server.app.rooms.identityProviders.find('acme')).toBeUndefined();
    expect((await call(identityProviders.enable, { params })).enabled).toBe(true);
    await call(identityProviders.remove, { params });
    expect((await api.get(`${path}/acme`)).status).toBe(404);
    const updates = (await api.audited('identity_provider_updated')).map(({ detail }) => detail);
    expect(updates).toMatchObject([
      {
        changes: [
          { field: 'display_name', from: 'acme', to: 'Acme' },
          { field: 'automatic', from: true, to: false },
          { field: 'client_secret', from: '(secret)', to: '(secret)' },
        ],
      },
      { changes: [{ field: 'enabled' }] },
      { changes: [{ field: 'enabled' }] },
    ]);
    const rows = await api.server.db.kysely.selectFrom('audit_events').selectAll().execute();
    const stored = await api.server.db.kysely
      .selectFrom('identity_providers')
      .selectAll()
      .execute();
    for (const text of [JSON.stringify(rows), JSON.stringify(stored), api.server.logged()]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain('another-one');
    }
  });

  it('MUST NOT send the secret of one issuer to another: the issuer cannot be changed', async () => {
    await create('fixed');
    const { status } = await api.send(`${path}/fixed`, {
      method: 'PATCH',
      headers: { ...bearer(apiKey), 'content-type': 'application/json' },
      body: JSON.stringify({ issuer: 'https://evil.test' }),
    });
    expect(status).toBe(400);
    const sealed = await api.server.db.kysely
      .selectFrom('identity_providers')
      .select('client_secret_sealed')
      .where('slug', '=', 'fixed')
      .executeTakeFirstOrThrow();
    expect(sealed.client_secret_sealed).toMatch(/^v1\./);
  });

  it('are not written over what somebody else has changed in between (If-Match)', async () => {
    for (const [made, body] of [
      [await create('raced'), { display_name: 'Mine' }],
      [
        await api.post('/admin/api/trusted-issuers', { issuer: 'https://r.test' }),
        { subject: 'strict' },
      ],
    ] as const) {
      const where = made.json.slug ? path : '/admin/api/trusted-issuers';
      const change = (version: string, method: string) =>
        api.send(`${where}/${made.json.id}`, {
          method,
          headers: {
            ...{ ...bearer(apiKey), 'if-match': `"${version}"` },
            ...(method === 'PATCH' && { 'content-type': 'application/json' }),
          },
          ...(method === 'PATCH' && { body: JSON.stringify(body) }),
        });
      expect((await change(made.json.version, 'PATCH')).status).toBe(200);
      for (const method of ['PATCH', 'DELETE'])
        expect(await change(made.json.version, method)).toMatchObject({ status: 412 });
      const { version } = (await api.get(`${where}/${made.json.id}`)).json;
      expect((await change(version, 'DELETE')).status).toBe(200);
    }
  });

  it.each([
    ['http beyond this computer', { issuer: 'http://idp.test' }],
    ['a user name in the issuer', { issuer: 'https://a:b@idp.test' }],
    ['a query in the issuer', { issuer: 'https://idp.test/?a=b' }],
    ['no URL', { issuer: 'javascript:alert(1)' }],
    ['a scope with a quote', { scopes: ['open"id'] }],
    ['a slug that is no path', { slug: '../x' }],
    ['an unknown role', { roles: { a: 'root' } }],
    ['an unknown member', { enabled: true }],
  ])('with %s are refused', async (_what, changes) => {
    const answer = await create('refused', changes);
    expect(answer.status).toBe(400);
    expect(answer.json.trace_id).toBeTruthy();
  });

  it('that are this server itself, or there already, are refused', async () => {
    expect((await create('self', { issuer: api.server.url })).status).toBe(400);
    expect((await create('declared')).status).toBe(409);
  });

  it('of the file are changed back at start, and cannot be removed', async () => {
    const { call } = api.client;
    const params = { id: 'declared' };
    await call(identityProviders.update, { params, body: { display_name: 'Changed' } });
    await expect(call(identityProviders.remove, { params })).rejects.toThrow('declares');
    const { identityProviders: room } = api.server.app.rooms;
    const meta = { at: api.server.now() };
    const row = {
      ...{ slug: 'declared', issuer: `${liar.origin}/declared`, client_id: 'authserver' },
      ...{ client_secret: secret, display_name: 'The declared', groups_claim: 'groups' },
      ...{ scopes: ['openid', 'profile', 'email'], roles: {}, groups: {} },
      ...{ automatic: true, private_network: false },
    };
    expect(await room.reconcile([row], meta)).toMatchObject({ updated: ['declared'] });
    expect(await room.reconcile([row], meta)).toMatchObject({ updated: [], created: [] });
    expect(room.find('declared')?.display_name).toBe('The declared');
    expect(await room.reconcile([], meta)).toMatchObject({ removedFromConfig: ['declared'] });
    const rotated = { ...row, client_secret: 'rotated-secret' };
    expect(await room.reconcile([rotated], meta)).toMatchObject({ updated: ['declared'] });
  });

  it('are listed by slug, page by page, searched and filtered', async () => {
    for (const slug of ['alpha', 'beta', 'gamma'])
      await create(slug, { display_name: `B ${slug}` });
    await api.client.call(identityProviders.disable, { params: { id: 'beta' } });
    const slugs = async (query: string) =>
      (await api.get(`${path}?${query}`)).json.items.map(({ slug }: { slug: string }) => slug);
    expect(await slugs('')).toEqual(['alpha', 'beta', 'declared', 'gamma']);
    expect(await slugs('sort=-slug')).toEqual(['gamma', 'declared', 'beta', 'alpha']);
    expect(await slugs('q=B%20g')).toEqual(['gamma']);
    expect(await slugs('enabled=false')).toEqual(['beta']);
    expect(await slugs('source=config')).toEqual(['declared']);
    const all: string[] = [];
    for await (const row of api.client.each(identityProviders.list, { limit: 1 }))
      all.push(row.slug);
    expect(all).toEqual(['alpha', 'beta', 'declared', 'gamma']);
  });

  it('are tested: what is found, or why nobody could sign in there', async () => {
    const { call } = api.client;
    await create('fine');
    expect(await call(identityProviders.test, { params: { id: 'fine' } })).toMatchObject({
      ...{ ok: true, problem: null, keys: 1, token_endpoint: `${liar.origin}/fine/token` },
      warnings: [expect.stringContaining('PKCE'), expect.stringContaining('RFC 9207')],
    });
    const bad: [string, Record<string, unknown>, string][] = [
      ['mute', { issuer: liar.issuer('/mute', {}, silence) }, 'did not answer in time'],
      ['lost', { issuer: `${liar.origin}/lost` }, 'status 404'],
      ['inner', { issuer: 'https://10.1.2.3' }, 'private_network'],
      ['alien', { issuer: liar.issuer('/alien', { issuer: 'https://x.test' }) }, 'not usable'],
    ];
    for (const [slug, changes, problem] of bad) {
      expect((await create(slug, changes)).status).toBe(201);
      const found = await call(identityProviders.test, { params: { id: slug } });
      expect(found).toMatchObject({ ok: false, keys: null });
      expect(found.problem).toContain(problem);
    }
  });

  it('are seen by another replica at once', async () => {
    await create('shared');
    const { createIdentityProviders } = await import('../accounts/index.ts');
    const { db, box, now, log } = api.server.app.rooms;
    const issuer = api.server.url;
    const other = await createIdentityProviders({ db, box, now, log, issuer, localSignIn: true });
    await api.client.call(identityProviders.disable, { params: { id: 'shared' } });
    await expect.poll(() => other.find('shared')).toBeUndefined();
    await other.close();
  });
});

describe('trusted issuers', () => {
  const issuersPath = '/admin/api/trusted-issuers';

  it('are made, changed, disabled and removed, each recorded', async () => {
    const made = await api.post(issuersPath, { issuer: 'https://idp.test', clients: ['app'] });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ issuer: 'https://idp.test', subject: 'automatic' });
    const params = { id: made.json.id };
    const { call } = api.client;
    const body = { subject: 'strict' as const, clients: null, scopes: ['read'] };
    expect(await call(trustedIssuers.update, { params, body })).toMatchObject({
      ...{ subject: 'strict', clients: null, scopes: ['read'], source: 'admin' },
    });
    const { trustedIssuers: room } = api.server.app.rooms;
    expect((await call(trustedIssuers.disable, { params })).enabled).toBe(false);
    expect(room.find('https://idp.test')).toBeUndefined();
    expect((await call(trustedIssuers.enable, { params })).enabled).toBe(true);
    expect((await api.post(issuersPath, { issuer: 'https://idp.test' })).status).toBe(409);
    await call(trustedIssuers.remove, { params });
    expect((await api.get(`${issuersPath}/${params.id}`)).status).toBe(404);
    const types = ['trusted_issuer_created', 'trusted_issuer_updated', 'trusted_issuer_removed'];
    const events = (await Promise.all(types.map(api.audited))).map((all) =>
      all.filter(({ detail }) => JSON.stringify(detail).includes('"https://idp.test"')),
    );
    expect(events.map(({ length }) => length)).toEqual([1, 3, 1]);
  });

  it.each([
    ['no https', { issuer: 'http://idp.test' }],
    ['two sources of keys', { jwks_uri: 'https://a.test/k', jwks: { keys: [{ kty: 'EC' }] } }],
    ['a private key', { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }],
    ['keys elsewhere without https', { jwks_uri: 'http://idp.test/keys' }],
  ])('with %s are refused', async (_what, changes) => {
    const answer = await api.post(issuersPath, { issuer: 'https://bad.test', ...changes });
    expect(answer.status).toBe(400);
  });

  it('of the file cannot be removed, and this server is none', async () => {
    const [row] = (await api.get(issuersPath)).json.items;
    expect(row).toMatchObject({ issuer: 'https://declared.test', source: 'config' });
    await expect(
      api.client.call(trustedIssuers.remove, { params: { id: row.id } }),
    ).rejects.toThrow('declares');
    expect((await api.post(issuersPath, { issuer: api.server.url })).status).toBe(400);
  });
});
