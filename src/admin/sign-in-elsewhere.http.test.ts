import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, createBrowser } from '../provider/browser.testing.ts';
import {
  pressProvider,
  type RealIdp,
  signInThere,
  startRealIdp,
} from '../provider/federation-idp.testing.ts';
import { providersYaml } from '../provider/federation-setup.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { openSignIn } from './sign-in.testing.ts';

let idp: RealIdp;
let api: TestApi;
let admin: string;

const owner = { sub: 'olga', name: 'Olga', email: 'olga@company.test', groups: ['admins'] };
const cookie = 'authserver_admin';
const mark = 'authserver_admin_sign_in';

beforeAll(async () => {
  idp = await startRealIdp();
  const scopes = ['openid', 'profile', 'email', 'groups'];
  api = await startApi({
    extra: providersYaml(
      { slug: 'company', issuer: idp.issuer, scopes, roles: { admins: 'owner' } },
      { slug: 'nowhere', issuer: 'http://localhost:9' },
    ),
  });
  admin = api.origin;
  await idp.serve([`${api.server.url}/login/callback/company`]);
});
afterAll(async () => {
  await api.close();
  await idp.close();
});

/** A browser that has been to the provider, and what the public listener answers to it. */
async function backAtPublic(to = '/admin/ui/clients') {
  const browser = createBrowser(admin);
  const page = await browser.open(`/admin/sign-in?return_to=${encodeURIComponent(to)}`);
  const left = await pressProvider(browser, page, 'company');
  const back = await signInThere(left.url);
  const answer = await fetch(back, { redirect: 'manual', headers: { accept: 'text/html' } });
  return { browser, back, answer, handover: answer.headers.get('location') ?? '' };
}

async function session(browser: Browser) {
  const answer = await browser.send('/admin/api/session', {
    headers: { accept: 'application/json' },
  });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

describe('an owner who signs in to the administration at the provider', () => {
  it('gets there, and on to the page that was asked for', async () => {
    await idp.becomes(owner);
    const { browser, answer, handover } = await backAtPublic();
    expect(answer.status).toBe(303);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(handover.startsWith(`${admin}/admin/sign-in/complete?token=`)).toBe(true);
    const done = await browser.open(handover);
    expect(done.response.status).toBe(200);
    // Not a redirect: the browser would not send the new SameSite=Strict cookie after one.
    expect(done.response.headers.get('refresh')).toBe('0; url=/admin/ui/clients');
    const { status, body } = await session(browser);
    expect(status).toBe(200);
    expect(body).toMatchObject({ role: 'owner', user: { email: owner.email } });
    expect((await api.audited('admin_session_started')).at(-1)?.detail).toMatchObject({
      ...{ method: 'identity_provider', provider: 'company', role: 'owner' },
    });
    expect((await api.audited('user_login')).at(-1)?.detail).toMatchObject({ purpose: 'admin' });
  });

  it('is signed in at the administration only', async () => {
    await idp.becomes(owner);
    const { answer } = await backAtPublic();
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it.each(['https://evil.test', '//evil.test', '/\\evil.test', '/account', '/admin/ui/../../x'])(
    'does not end up at %s (RU22)',
    async (to) => {
      await idp.becomes(owner);
      const { browser, handover } = await backAtPublic(to);
      const url = new URL(handover);
      url.searchParams.set('return_to', to);
      const done = await browser.open(url.href);
      expect(done.response.headers.get('refresh')).toMatch(
        /^0; url=\/admin\/ui\/(?!.*\.\.)[\w/]*$/,
      );
    },
  );
});

describe('the link between the listeners', () => {
  it('MUST work once', async () => {
    await idp.becomes(owner);
    const { browser, handover } = await backAtPublic();
    const again = createBrowser(admin);
    for (const [name, value] of browser.jar) again.jar.set(name, value);
    expect((await browser.open(handover)).response.status).toBe(200);
    expect((await again.open(handover)).response.status).toBe(403);
    expect(again.jar.get(cookie)).toBeUndefined();
  });

  it('MUST NOT work in another browser, and still works in its own', async () => {
    await idp.becomes(owner);
    const { browser, handover } = await backAtPublic();
    const thief = createBrowser(admin);
    expect((await thief.open(handover)).response.status).toBe(403);
    thief.jar.set(mark, 'A'.repeat(43));
    expect((await thief.open(handover)).response.status).toBe(403);
    expect(thief.jar.get(cookie)).toBeUndefined();
    expect((await browser.open(handover)).response.status).toBe(200);
  });

  it('MUST be used within a minute', async () => {
    await idp.becomes(owner);
    const { browser, handover } = await backAtPublic();
    api.server.advance(61);
    const late = await browser.open(handover);
    api.server.advance(-61);
    expect(late.response.status).toBe(403);
    expect(browser.jar.get(cookie)).toBeUndefined();
  });

  it.each(['', 'token=', 'token=x&token=y', 'token=%3Csvg%20onload%3Dalert(1)%3E'])(
    'with ?%s is a page of ours',
    async (query) => {
      const browser = createBrowser(admin);
      browser.jar.set(mark, 'A'.repeat(43));
      const shown = await browser.open(`/admin/sign-in/complete?${query}`);
      expect(shown.response.status).toBe(403);
      expect(shown.html).not.toContain('<svg onload');
      expect(shown.html).toContain('href="/admin/sign-in"');
    },
  );

  it('of somebody who was disabled in between MUST NOT work', async () => {
    await idp.becomes({ ...owner, sub: 'dora', name: 'Dora', email: 'dora@company.test' });
    const { browser, handover } = await backAtPublic();
    const { accounts } = api.server.app.rooms;
    const user = await accounts.identities.find({ issuer: idp.issuer, subject: 'dora' });
    await accounts.disable(user?.id ?? '', { at: api.server.now() });
    expect((await browser.open(handover)).response.status).toBe(403);
    expect(browser.jar.get(cookie)).toBeUndefined();
  });
});

describe('who has no part in the administration', () => {
  it('MUST NOT get in, and is told so', async () => {
    await idp.becomes({ sub: 'nora', name: 'Nora', email: 'nora@company.test', groups: ['sales'] });
    const { browser, handover } = await backAtPublic();
    const shown = await browser.open(handover);
    expect(shown.response.status).toBe(403);
    expect(shown.html).toContain('no part in the administration');
    expect(browser.jar.get(cookie)).toBeUndefined();
    expect((await api.audited('admin_sign_in_refused')).at(-1)?.detail).toMatchObject({
      ...{ method: 'identity_provider', provider: 'company' },
    });
  });

  it('loses it with the group, at the next sign-in', async () => {
    const second = { ...owner, sub: 'otto', name: 'Otto', email: 'otto@company.test' };
    await idp.becomes(second);
    const first = await backAtPublic();
    await first.browser.open(first.handover);
    expect((await session(first.browser)).status).toBe(200);
    await idp.becomes({ ...second, groups: [] });
    const later = await backAtPublic();
    expect((await later.browser.open(later.handover)).response.status).toBe(403);
    expect((await session(first.browser)).status).toBe(401);
  });
});

it('the way out needs the form of this browser', async () => {
  const browser = createBrowser(admin);
  const page = await browser.open('/admin/sign-in');
  expect(page.html).toContain('name="provider" value="company"');
  expect((await pressProvider(createBrowser(admin), page, 'company')).response.status).toBe(403);
  const from = { origin: 'https://evil.test' };
  expect((await pressProvider(browser, page, 'company', from)).response.status).toBe(403);
});

it('with admin.external_url MUST NOT begin under another name, which leads the person there with the link', async () => {
  const company = { slug: 'company', issuer: idp.issuer };
  const away = await startApi({
    admin: ', external_url: "https://admin.example.test"',
    extra: providersYaml(company),
  });
  try {
    const press = async (host: string) => {
      const form = await openSignIn((path, sent) =>
        away.send(path, { ...sent, headers: { ...sent?.headers, host } }),
      );
      return away.send(form.action, {
        method: 'POST',
        headers: {
          ...{ host, cookie: form.cookie, accept: 'text/html' },
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ csrf: form.csrf, provider: 'company' }).toString(),
      });
    };
    const other = await press('localhost:31337');
    expect(other).toMatchObject({ status: 403 });
    expect(other.headers.location).toBeUndefined();
    expect(other.body).toContain('https://admin.example.test/admin/sign-in');
    const pending = away.server.db.kysely.selectFrom('provider_sign_ins').select('origin');
    expect(await pending.execute()).toEqual([]);
    expect((await press('admin.example.test')).status).toBe(303);
    expect(await pending.execute()).toEqual([{ origin: 'https://admin.example.test' }]);
  } finally {
    await away.close();
  }
});

it('a provider that is down is our page, and so is the person who went away', async () => {
  const browser = createBrowser(admin);
  const page = await browser.open('/admin/sign-in');
  const down = await pressProvider(browser, page, 'nowhere');
  expect(down.response.status).toBe(503);
  expect(down.html).toContain('href="/admin/sign-in"');
  await idp.becomes(null);
  const { answer } = await backAtPublic();
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain(`href="${admin}/admin/sign-in"`);
});
