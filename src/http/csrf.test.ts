import { describe, expect, it } from 'vitest';
import { createCsrf } from './csrf.ts';
import { testApp } from './http.testing.ts';
import { createSite } from './site.ts';

const origin = 'https://auth.example';
const csrfApp = async (issuer = origin) => {
  const csrf = createCsrf({ site: createSite(issuer), secret: 's'.repeat(32) });
  const app = await testApp(
    [
      (ctx) => {
        const key = String(ctx.query.key ?? 'uid1');
        if (ctx.method === 'GET') {
          ctx.body = csrf.issue(ctx, key);
          return;
        }
        csrf.check(ctx, key, ctx.get('x-token') || undefined);
        ctx.body = 'done';
      },
    ],
    { issuer },
  );
  const open = async (path = '/', cookie = '') => {
    const answer = await app.fetch(path, { headers: { cookie } });
    const [set = ''] = answer.headers.getSetCookie();
    return { token: await answer.text(), cookie: set.split(';')[0] ?? '', set };
  };
  const post = async (headers: Record<string, string>, path = '/') =>
    (await app.fetch(path, { method: 'POST', headers })).status;
  return { app, open, post };
};

describe('a posted form', () => {
  it('passes with its token in the browser that it was shown in', async () => {
    const { app, open, post } = await csrfApp();
    await using _ = app;
    const { token, cookie } = await open();
    expect(await post({ cookie, 'x-token': token, origin, 'sec-fetch-site': 'same-origin' })).toBe(
      200,
    );
    expect(await post({ cookie, 'x-token': token })).toBe(200);
  });

  it.each<
    [
      string,
      (
        own: Record<string, string>,
        other: { token: string; cookie: string },
      ) => Record<string, string>,
    ]
  >([
    ['without a token', ({ 'x-token': _, ...rest }) => rest],
    ['with a wrong token', (own) => ({ ...own, 'x-token': `${own['x-token']?.slice(0, -1)}_` })],
    ['with the token of another browser', (own, other) => ({ ...own, 'x-token': other.token })],
    ['with the cookie of another browser', (own, other) => ({ ...own, cookie: other.cookie })],
    ['without the cookie', ({ cookie: _, ...rest }) => rest],
    [
      'with a forged cookie',
      (own) => ({ ...own, cookie: `${own.cookie?.split('.')[0]}.${'A'.repeat(43)}` }),
    ],
    [
      'with a cookie under the unprotected name',
      (own) => ({ ...own, cookie: own.cookie?.replace('__Host-', '') ?? '' }),
    ],
    ['from an evil origin', (own) => ({ ...own, origin: 'https://evil.test' })],
    [
      'from an origin that only starts like ours',
      (own) => ({ ...own, origin: 'https://auth.example.evil.test' }),
    ],
    ['from an opaque origin', (own) => ({ ...own, origin: 'null' })],
    ['marked as cross-site by the browser', (own) => ({ ...own, 'sec-fetch-site': 'cross-site' })],
  ])('%s is refused with 403 (RFC 9700 §4.7)', async (_how, change) => {
    const { app, open, post } = await csrfApp();
    await using _ = app;
    const [own, other] = [await open(), await open()];
    const good = { cookie: own.cookie, 'x-token': own.token, origin };
    expect(await post(good)).toBe(200);
    expect(await post(change(good, other))).toBe(403);
  });

  it('with the token of another form is refused', async () => {
    const { app, open, post } = await csrfApp();
    await using _ = app;
    const { token, cookie } = await open('/?key=uid1');
    expect(await post({ cookie, 'x-token': token }, '/?key=uid2')).toBe(403);
  });

  it('works from parallel tabs: one cookie, a token for each', async () => {
    const { app, open, post } = await csrfApp();
    await using _ = app;
    const first = await open('/?key=uid1');
    const second = await open('/?key=uid2', first.cookie);
    expect(second.set).toBe('');
    expect(await post({ cookie: first.cookie, 'x-token': first.token }, '/?key=uid1')).toBe(200);
    expect(await post({ cookie: first.cookie, 'x-token': second.token }, '/?key=uid2')).toBe(200);
  });
});

it('the cookie is __Host-, Secure, HttpOnly and SameSite on https, and plain on http loopback', async () => {
  const secure = await csrfApp();
  const plain = await csrfApp('http://localhost:9000');
  await using _one = secure.app;
  await using _two = plain.app;
  expect((await secure.open()).set).toMatch(
    /^__Host-authserver_browser=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  );
  expect((await plain.open()).set).toMatch(
    /^authserver_browser=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/,
  );
});

it.each([
  `=;;=`,
  'x'.repeat(9_000),
  '__Host-authserver_browser=%00',
  '__Host-authserver_browser="a.b"',
  'a=b; '.repeat(100),
])('a malformed Cookie header counts as none (%#)', async (cookie) => {
  const { app, open, post } = await csrfApp();
  await using _ = app;
  expect((await open('/', cookie)).set).toContain('__Host-authserver_browser=');
  expect(await post({ cookie, 'x-token': 'x' })).toBe(403);
});
