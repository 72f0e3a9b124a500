import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pressProvider } from './federation-idp.testing.ts';
import { flood, json, type Lie, redirect, silence, startLiar } from './federation-liar.testing.ts';
import { audited, identityOf, impatient, providersYaml } from './federation-setup.testing.ts';
import { isSignedIn } from './people.testing.ts';
import { alice, startServer, type TestServer } from './server.testing.ts';

let liar: Awaited<ReturnType<typeof startLiar>>;
let server: TestServer;

beforeAll(async () => {
  liar = await startLiar();
  const { origin } = liar;
  server = await startServer({
    providerRequest: impatient,
    extra: `session: { local_sign_in: false }\n${providersYaml(
      { slug: 'good', issuer: liar.issuer('/good') },
      { slug: 'grouped', issuer: liar.issuer('/grouped'), roles: { admins: 'owner' } },
      { slug: 'silent', issuer: liar.issuer('/silent', {}, silence) },
      { slug: 'flood', issuer: liar.issuer('/flood', {}, flood) },
      { slug: 'moved', issuer: liar.issuer('/moved', {}, redirect(`${origin}/good`)) },
      { slug: 'broken', issuer: liar.issuer('/broken', {}, json({}, 500)) },
      { slug: 'other', issuer: liar.issuer('/other', { issuer: `${origin}/good` }) },
      { slug: 'slash', issuer: liar.issuer('/slash', { issuer: `${origin}/slash/` }) },
      {
        slug: 'script',
        issuer: liar.issuer('/script', { authorization_endpoint: 'javascript:alert(1)' }),
      },
      {
        slug: 'plain',
        issuer: liar.issuer('/plain', { authorization_endpoint: 'http://evil.test/a' }),
      },
      {
        slug: 'inside',
        issuer: liar.issuer('/inside', { token_endpoint: 'http://169.254.169.254/' }),
      },
      { slug: 'keyless', issuer: liar.issuer('/keyless', { jwks_uri: undefined }) },
      { slug: 'private', issuer: 'https://10.0.0.1' },
      { slug: 'down', issuer: 'http://localhost:9' },
    )}`,
  });
});
beforeEach(() => liar.lies({}));
afterAll(async () => {
  await server.close();
  await liar.close();
});

async function leave(slug: string) {
  const browser = server.browser();
  const page = await browser.open(`${server.url}/account/sign-in`);
  return { browser, left: await pressProvider(browser, page, slug) };
}

async function attempt(slug = 'good') {
  const { browser, left } = await leave(slug);
  const shown = await browser.open(liar.back(left.url));
  return { shown, isIn: await isSignedIn(server, browser), browser };
}

describe('a provider that tells the truth', () => {
  it('gets somebody in, by an ID token alone or by userinfo as well', async () => {
    expect(await attempt()).toMatchObject({ isIn: true });
    liar.lies({ claims: { name: undefined }, userinfo: { sub: 'liar', name: 'Lia Userinfo' } });
    expect((await attempt()).shown.html).toContain('Lia Userinfo');
  });
});

describe('an ID token', () => {
  const past = Math.floor(Date.now() / 1000) - 3600;
  const lies: [string, Lie][] = [
    ['of no sign-in (no nonce)', { claims: { nonce: undefined } }],
    ['of another sign-in (its nonce)', { claims: { nonce: 'another' } }],
    ['for another client (aud)', { claims: { aud: 'another' } }],
    ['for several, issued to another (azp)', { claims: { aud: ['authserver', 'x'], azp: 'x' } }],
    ['without aud', { claims: { aud: undefined } }],
    ['of another issuer', { claims: { iss: 'https://evil.test' } }],
    ['of nobody', { claims: { sub: undefined } }],
    ['of somebody without a name', { claims: { sub: '' } }],
    ['of a subject that cannot be stored', { claims: { sub: 'a\0b' } }],
    ['of a huge subject', { claims: { sub: 'x'.repeat(5000) } }],
    ['that has expired', { claims: { exp: past } }],
    ['that never expires', { claims: { exp: undefined } }],
    ['without a signature (alg none)', { alg: 'none' }],
    ['signed with our own secret (HS256)', { alg: 'HS256' }],
    ['signed with a key that is not published', { alg: 'another key' }],
    ['that is missing', { token: json({ access_token: 'at', token_type: 'Bearer' }) }],
  ];

  it.each(lies)('%s MUST NOT get anybody in', async (_what, lie) => {
    liar.lies(lie);
    const before = await server.db.kysely.selectFrom('user_identities').selectAll().execute();
    const { shown, isIn } = await attempt();
    expect(shown.response.status).toBe(403);
    expect(shown.html).toContain('not_accepted');
    expect(isIn).toBe(false);
    const after = await server.db.kysely.selectFrom('user_identities').selectAll().execute();
    expect(after.length).toBe(before.length);
    expect((await audited(server, 'user_login_failed')).at(-1)?.detail).toMatchObject({
      ...{ reason: 'not_accepted', provider: 'good' },
    });
  });
});

describe('userinfo', () => {
  it('about somebody else MUST NOT get anybody in', async () => {
    liar.lies({ claims: { name: undefined }, userinfo: { sub: 'another', name: 'Else' } });
    expect(await attempt()).toMatchObject({ isIn: false });
  });

  it('MUST NOT overrule the ID token', async () => {
    liar.lies({
      claims: { sub: 'ruled', groups: undefined, email: 'told@liar.test', name: undefined },
      userinfo: { sub: 'ruled', email: 'else@liar.test', groups: ['admins'], iss: 'x' },
    });
    expect(await attempt('grouped')).toMatchObject({ isIn: true });
    const user = await identityOf(server, `${liar.origin}/grouped`, 'ruled');
    expect(user).toMatchObject({ email: 'told@liar.test', role: 'owner' });
  });
});

describe('strange claims', () => {
  it.each([
    ['markup', { name: '<svg onload=alert(1)>', email: '"><svg onload=alert(1)>@x.test' }],
    ['numbers and objects', { name: { a: 1 }, email: 5, groups: { admins: true } }],
    ['control characters', { name: 'a\0b\u0007', email: 'a\0@x.test', groups: ['a\0'] }],
    ['10 kB', { name: 'n'.repeat(10_000), email: `${'e'.repeat(10_000)}@x.test` }],
    ['deep prototypes', { groups: ['__proto__', 'constructor', 'toString'] }],
  ])('of %s are shown inert, or not taken over', async (what, claims) => {
    liar.lies({ claims: { sub: what, ...claims }, userinfo: { sub: what } });
    const { shown, isIn } = await attempt('grouped');
    expect(isIn).toBe(true);
    expect(shown.html).not.toContain('<svg onload');
    expect(await identityOf(server, `${liar.origin}/grouped`, what)).toMatchObject({ role: null });
  });
});

describe('a provider', () => {
  it.each([
    'silent',
    'flood',
    'moved',
    'broken',
    'other',
    'slash',
    'script',
    'plain',
    'inside',
    'keyless',
    'private',
    'down',
  ])('whose metadata is %s sends nobody anywhere, and says so within its time', async (slug) => {
    const started = performance.now();
    const { browser, left } = await leave(slug);
    expect(left.response.status).toBe(503);
    expect(left.response.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(left.html).toContain('does not answer right now');
    expect(left.html).toContain('/account/sign-in');
    expect(performance.now() - started).toBeLessThan(5000);
    expect(await isSignedIn(server, browser)).toBe(false);
    const trace = /<code>([0-9A-HJKMNP-TV-Z]{10})<\/code>/.exec(left.html)?.[1] ?? 'none';
    const line = server
      .logged()
      .split('\n')
      .find((one) => one.includes(trace) && one.includes(slug));
    expect(line).toContain('reasons');
  });

  it('that is down is not asked by everybody who presses its button', async () => {
    await leave('silent');
    const before = liar.asked.filter((one) => one.includes('/silent/')).length;
    await Promise.all([leave('silent'), leave('silent')]);
    expect(liar.asked.filter((one) => one.includes('/silent/'))).toHaveLength(before);
  });

  it.each([
    ['does not answer', silence, 503, 'unreachable'],
    ['answers without end', flood, 503, 'unreachable'],
    ['answers 500', json({}, 500), 503, 'unreachable'],
    ['leads elsewhere', redirect('http://127.0.0.1:1/'), 503, 'unreachable'],
    ['knows no such code', json({ error: 'invalid_grant' }, 400), 403, 'refused_there'],
    ['does not know us', json({ error: 'invalid_client' }, 401), 403, 'refused_there'],
    ['sends no JSON', json('<svg onload=alert(1)>'), 403, 'not_accepted'],
  ])('whose token endpoint %s gets nobody in', async (_what, token, status, reason) => {
    liar.lies({ token });
    const { shown, isIn } = await attempt();
    expect(shown.response.status).toBe(status);
    expect(shown.html).toContain(`<code>${reason}</code>`);
    expect(shown.html).not.toContain('<svg onload');
    expect(isIn).toBe(false);
  });
});

describe('without local sign-in', () => {
  it('the page asks for no password, and none MUST be taken', async () => {
    const browser = server.browser();
    const page = await browser.open(`${server.url}/account/sign-in`);
    expect(page.html).not.toMatch(/name="(username|password)"/);
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
    const answer = await browser.submit('/account/sign-in', [
      ['csrf', csrf],
      ['username', alice.email],
      ['password', alice.password],
    ]);
    expect(answer.response.status).toBe(403);
    expect(await isSignedIn(server, browser)).toBe(false);
  });

  it('the last provider that is enabled cannot be taken away', async () => {
    const { identityProviders } = server.app.rooms;
    const by = { actor: { kind: 'cli' }, meta: { at: server.now() } } as const;
    const all = identityProviders.buttons().map(({ slug }) => slug);
    for (const slug of all.slice(1)) await identityProviders.setEnabled(slug, false, by);
    const last = all[0] ?? '';
    await expect(identityProviders.setEnabled(last, false, by)).rejects.toThrow('last way');
    expect(identityProviders.buttons()).toHaveLength(1);
  });
});
