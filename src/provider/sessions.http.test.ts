import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashId } from '../db/index.ts';
import { type Browser, readForm } from './browser.testing.ts';
import { authorizeUrl, type Flow, good, redeem, tokens } from './flow.testing.ts';
import {
  answerOf,
  copyOf,
  isConsent,
  isSignedIn,
  isSignIn,
  openConsent,
  type Page,
  press,
  signedIn,
  startConfigured,
  typed,
} from './people.testing.ts';
import { alice, bob, rs1, startServer, type TestServer } from './server.testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
beforeEach(async () => {
  await server.db.kysely.deleteFrom('grants').execute();
});
afterAll(() => server.close());

const approve: [string, string] = ['decision', 'approve'];
const idOf = ({ jar }: Browser) => jar.get('session') ?? '';
const stored = (id: string) =>
  server.db.kysely.selectFrom('sessions').select('id').where('id', '=', hashId(id)).execute();

async function userId(email: string): Promise<string> {
  const query = server.db.kysely.selectFrom('users').select('id').where('email', '=', email);
  return (await query.executeTakeFirstOrThrow()).id;
}

describe('signing in (SE01, T23)', () => {
  it('MUST NOT take over an id that was there before', async () => {
    const browser = server.browser();
    browser.jar.set('session', 'chosen-by-an-attacker');
    browser.jar.set('session.sig', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA');
    const page = await press(
      browser,
      await browser.open(authorizeUrl(server, good())),
      typed(alice),
    );
    expect(isConsent(page)).toBe(true);
    expect(idOf(browser)).not.toBe('chosen-by-an-attacker');
    expect(await stored('chosen-by-an-attacker')).toEqual([]);
  });

  it('again MUST give another id and end the old one at once', async () => {
    const browser = await signedIn(server);
    const before = copyOf(server, browser);
    const page = await browser.open(authorizeUrl(server, good({ prompt: 'login' })));
    expect(isSignIn(page)).toBe(true);
    expect(isConsent(await press(browser, page, typed(alice)))).toBe(true);
    expect(idOf(browser)).not.toBe(idOf(before));
    expect(await isSignedIn(server, before)).toBe(false);
    expect(await isSignedIn(server, browser)).toBe(true);
  });

  it('MUST end a planted session of somebody else', async () => {
    const attacker = await signedIn(server, bob);
    const victim = copyOf(server, attacker);
    const page = await victim.open(authorizeUrl(server, good({ prompt: 'login' })));
    const consent = await press(victim, page, typed(alice));
    expect(consent.html).toContain(alice.email);
    expect(await isSignedIn(server, attacker)).toBe(false);
    expect(idOf(victim)).not.toBe(idOf(attacker));
    expect(await isSignedIn(server, victim)).toBe(true);
  });

  it('on the account page gives a new id too, and ends the old one', async () => {
    const browser = await signedIn(server);
    const before = copyOf(server, browser);
    const guest = server.browser();
    const form = await guest.open(`${server.url}/account/sign-in`);
    for (const [name, value] of before.jar) {
      if (name.startsWith('session')) guest.jar.set(name, value);
    }
    await press(guest, form, typed(bob));
    expect((await guest.open(`${server.url}/account`)).html).toContain(bob.email);
    expect(idOf(guest)).not.toBe(idOf(before));
    expect(await isSignedIn(server, before)).toBe(false);
  });

  it('gives an id that only its hash is stored of', async () => {
    const browser = await signedIn(server);
    const id = idOf(browser);
    expect(id.length).toBeGreaterThanOrEqual(21);
    expect(await stored(id)).toHaveLength(1);
    const rows = await server.db.kysely.selectFrom('sessions').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(id);
    expect(server.logged()).not.toContain(id);
  });

  it('is not asked for again by another tab that was waiting', async () => {
    const browser = server.browser();
    const waiting = await browser.open(authorizeUrl(server, good()));
    await press(browser, await browser.open(authorizeUrl(server, good())), typed(alice));
    const reloaded = await browser.open(readForm(waiting.html).action);
    expect(isConsent(reloaded)).toBe(true);
  });

  it('in one tab leaves alone what another tab has on its way, for a moment', async () => {
    const browser = server.browser();
    const waiting = await browser.open(authorizeUrl(server, good()));
    await press(browser, await browser.open(authorizeUrl(server, good())), typed(alice));
    const onItsWay = copyOf(server, browser);
    expect(isConsent(await press(browser, waiting, typed(alice)))).toBe(true);
    expect(idOf(browser)).not.toBe(idOf(onItsWay));
    expect(await isSignedIn(server, onItsWay)).toBe(true);
  });

  it('is asked for again by prompt=login, whoever is signed in', async () => {
    const browser = await signedIn(server);
    await tokens(server, good(), { browser });
    const page = await browser.open(authorizeUrl(server, good({ prompt: 'login' })));
    expect(isSignIn(page)).toBe(true);
    expect(isSignIn(await browser.open(readForm(page.html).action))).toBe(true);
    expect(answerOf(await press(browser, page, typed(alice))).get('code')).toBeTruthy();
  });
});

/** Every cookie that a browser is given from signing in to signing out, and when it sends bad ones. */
async function everySetCookie(place: { url: string; direct: string }): Promise<string[]> {
  const given: string[] = [];
  const jar = new Map<string, string>();
  const origin = new URL(place.url).origin;
  const send = async (path: string, form?: [string, string][]) => {
    const response = await fetch(path.replace(origin, place.direct), {
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        cookie: [...jar].map((pair) => pair.join('=')).join('; '),
        ...(form ? { origin } : {}),
      },
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    });
    expect(response.status).toBeLessThan(500);
    for (const cookie of response.headers.getSetCookie()) {
      given.push(cookie);
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(cookie) ?? [];
      if (value) jar.set(name, value);
      else jar.delete(name);
    }
    return { html: await response.text(), location: response.headers.get('location') ?? '' };
  };
  const follow = async (first: ReturnType<typeof send>) => {
    let page = await first;
    while (page.location && !page.location.startsWith('http://127.0.0.1')) {
      page = await send(new URL(page.location, origin).href);
    }
    return page;
  };
  const submit = async ({ html }: { html: string }, fields: [string, string][]) => {
    const form = readForm(html);
    return follow(send(origin + form.action, [...form.fields, ...fields]));
  };
  const request = `${origin}/oauth/authorize?${new URLSearchParams(
    Object.entries(good().params).map(([name, value]): [string, string] => [name, String(value)]),
  )}`;
  const consent = await submit(await follow(send(request)), typed(alice));
  expect(isConsent(consent)).toBe(true);
  expect((await submit(consent, [approve])).location).toContain('code=');
  await follow(send(`${request}&prompt=login`));
  for (const name of jar.keys()) if (name.endsWith('session.sig')) jar.set(name, 'tampered');
  const again = await follow(send(`${origin}/account`));
  expect(again.html).toContain('name="password"');
  await follow(send(request));
  const home = await submit(again, typed(alice));
  const signOut = /<form method="post" action="([^"]*\/logout)">.*?<\/form>/s.exec(home.html);
  await submit({ html: signOut?.[0] ?? '' }, []);
  expect((await follow(send(`${origin}/account`))).html).toContain('name="password"');
  return given;
}

describe('cookies (SE02)', () => {
  const names = (cookies: string[]) => cookies.map((one) => one.slice(0, one.indexOf('=')));
  const kinds = (cookies: string[]) =>
    new Set(
      names(cookies).map((name) => name.replace(/^(.*?(?:interaction|resume))-[\w-]+/, '$1-ID')),
    );

  it('on http loopback are HttpOnly and SameSite=Lax, for this host and every path', async () => {
    const cookies = await everySetCookie({ url: server.url, direct: server.url });
    expect(kinds(cookies)).toEqual(
      new Set([
        ...['session', 'session.sig', 'authserver_browser'],
        ...['interaction-ID', 'interaction-ID.sig', 'resume-ID', 'resume-ID.sig'],
      ]),
    );
    for (const cookie of cookies) {
      expect(cookie).toMatch(/; *httponly/i);
      expect(cookie).toMatch(/; *samesite=lax/i);
      expect(cookie).toMatch(/; *path=\/(;|$)/i);
      expect(cookie).not.toMatch(/; *(domain|secure)/i);
    }
  });

  it('on https are __Host-, Secure, HttpOnly and SameSite, every one of them', async () => {
    const behindTls = await startConfigured(
      ({ directory }) => `
server: { issuer: "https://auth.test" }
storage: { pglite: { path: "${directory}/db", accept_risk: true } }
session: { secret: "${randomBytes(32).toString('base64url')}" }
data_encryption: { key: "${randomBytes(32).toString('base64')}" }
resources:
  - { slug: rs1, uri: "${rs1}", scopes: [{ name: "mcp:read", description: Read }] }
clients:
  - { client_id: PUB, application_type: native, redirect_uris: ["http://127.0.0.1:7777/cb"] }
users:
  - { email: ${alice.email}, password: "${alice.password}" }
`,
      { issuer: 'https://auth.test' },
    );
    const cookies = await everySetCookie(behindTls);
    expect(kinds(cookies).size).toBe(7);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__Host-/);
      expect(cookie).toMatch(/; *secure/i);
      expect(cookie).toMatch(/; *httponly/i);
      expect(cookie).toMatch(/; *samesite=(lax|strict)/i);
      expect(cookie).toMatch(/; *path=\/(;|$)/i);
      expect(cookie).not.toMatch(/; *domain/i);
    }
    await behindTls.close();
  });
});

describe('strange cookies (SE04)', () => {
  const own = async () => {
    const { jar } = await signedIn(server);
    return { id: jar.get('session') ?? '', signature: jar.get('session.sig') ?? '' };
  };
  const cases: Record<string, () => Promise<string>> = {
    malformed: async () => ';;=;session;=x; session="; session.sig==;%zz;\tsession=%00',
    empty: async () => 'session=; session.sig=',
    unsigned: async () => `session=${(await own()).id}`,
    'signed with another key': async () =>
      `session=${(await own()).id}; session.sig=${'A'.repeat(27)}`,
    'signed for another name': async () => {
      const { id, signature } = await own();
      return `session=x; session.sig=${signature}; resume=${id}`;
    },
    'a tampered id': async () => {
      const { id, signature } = await own();
      return `session=${id.slice(0, -1)}_; session.sig=${signature}`;
    },
    'a duplicate, the wrong one first': async () => {
      const { id, signature } = await own();
      return `session=wrong; session=${id}; session.sig=${signature}`;
    },
    '100 cookies': async () =>
      Array.from({ length: 100 }, (_, n) => `session-${n}=${n}; interaction-${n}=x`).join('; '),
    'SQL and markup': async () => `session=' or 1=1--<svg onload=x>; session.sig='`,
    'another encoding': async () => 'session=\u00ff\u00fe; session.sig=\u00ff',
    prototype: async () => '__proto__=x; constructor=y; session=__proto__; session.sig=toString',
  };

  it.each(Object.entries(cases))('%s: no session, no 5xx', async (_what, cookie) => {
    const headers = { cookie: await cookie(), accept: 'text/html' };
    const home = await fetch(`${server.url}/account`, { headers, redirect: 'manual' });
    expect(home.status).toBe(303);
    expect(home.headers.get('location')).toBe('/account/sign-in');
    const started = await fetch(authorizeUrl(server, good()), { headers, redirect: 'manual' });
    expect(started.status).toBe(303);
    expect(started.headers.get('location')).toMatch(/^\/login\//);
    for (const path of ['/login/x', '/consent/x', '/oauth/authorize/x']) {
      const page = await fetch(server.url + path, { headers, redirect: 'manual' });
      expect(page.status).toBe(400);
    }
  });

  it('60 KB: refused before anything reads it', async () => {
    const headers = { cookie: `session=${'x'.repeat(60_000)}` };
    const { status } = await fetch(`${server.url}/account`, { headers, redirect: 'manual' });
    expect([400, 431]).toContain(status);
  });

  it('12 KB: no session', async () => {
    const headers = { cookie: `session=${'x'.repeat(6_000)}; session.sig=${'y'.repeat(6_000)}` };
    const { status } = await fetch(`${server.url}/account`, { headers, redirect: 'manual' });
    expect(status).toBe(303);
  });
});

describe('signing out', () => {
  async function signOut(browser: Browser): Promise<Page> {
    const { html } = await browser.open(`${server.url}/account`);
    const form = /<form method="post" action="\/logout">.*?<\/form>/s.exec(html)?.[0] ?? '';
    const { action, fields } = readForm(form);
    return browser.submit(action, fields);
  }

  it('MUST end the session on the server, not in the browser only', async () => {
    const { browser, page } = await openConsent(server, good());
    const thief = copyOf(server, browser);
    const out = await signOut(browser);
    expect(out.response.status).toBe(200);
    expect(out.html).toContain('You are signed out');
    expect(browser.jar.has('session')).toBe(false);
    expect(await isSignedIn(server, thief)).toBe(false);
    expect((await thief.open(readForm(page.html).action)).response.status).toBe(400);
    expect((await press(thief, page, [approve])).response.status).toBe(400);
    expect(isSignIn(await thief.open(authorizeUrl(server, good())))).toBe(true);
  });

  it('reaches what is on its way: an approved page leads to a new sign-in', async () => {
    const { browser, page } = await openConsent(server, good());
    const { action, fields } = readForm(page.html);
    const body = new URLSearchParams([...fields, approve]);
    const posted = await browser.send(action, { method: 'POST', body });
    const thief = copyOf(server, browser);
    await signOut(browser);
    const resumed = await thief.open(posted.headers.get('location') ?? '');
    expect(isSignIn(resumed)).toBe(true);
  });

  it('MUST NOT be done by a link or by another site', async () => {
    const browser = await signedIn(server);
    await browser.open(`${server.url}/logout`);
    const { status } = await browser.send(`${server.url}/logout`, {
      method: 'POST',
      body: new URLSearchParams({ csrf: 'x' }),
    });
    expect(status).toBe(403);
    const { html } = await browser.open(`${server.url}/account`);
    const answer = await browser.submit('/logout', readForm(html).fields, {
      origin: 'https://evil.test',
    });
    expect(answer.response.status).toBe(403);
    expect(await isSignedIn(server, browser)).toBe(true);
  });

  it('is recorded', async () => {
    await signOut(await signedIn(server));
    const event = await server.db.kysely
      .selectFrom('audit_events')
      .select('user_id')
      .where('type', '=', 'user_logout')
      .orderBy('id')
      .execute();
    expect(event.at(-1)).toEqual({ user_id: await userId(alice.email) });
  });
});

describe('a session', () => {
  it('is over after session.max_age', async () => {
    const other = await startServer({ extra: 'session: { max_age: 1h }' });
    const browser = await signedIn(other);
    other.advance(3599);
    const copy = copyOf(other, browser);
    other.advance(2);
    expect(await isSignedIn(other, copy)).toBe(false);
    await other.close();
  });

  it('MUST be dead at once when its user is disabled, and so is what it had begun', async () => {
    const { browser, page } = await openConsent(server, good());
    const { action, fields } = readForm(page.html);
    const resumable = await openConsent(server, good(), { browser });
    const form = readForm(resumable.page.html);
    const posted = await browser.send(form.action, {
      method: 'POST',
      body: new URLSearchParams([...form.fields, approve]),
    });
    const id = await userId(alice.email);
    const { accounts } = server.app.rooms;
    await accounts.disable(id, { at: server.now() });
    try {
      expect(await isSignedIn(server, copyOf(server, browser))).toBe(false);
      expect((await browser.submit(action, [...fields, approve])).response.status).toBe(400);
      const resumed = await browser.open(posted.headers.get('location') ?? '');
      expect(isSignIn(resumed)).toBe(true);
      expect(isSignIn(await browser.open(authorizeUrl(server, good())))).toBe(true);
      expect(
        await server.db.kysely
          .selectFrom('sessions')
          .selectAll()
          .where('user_id', '=', id)
          .execute(),
      ).toEqual([]);
    } finally {
      await accounts.enable(id, { at: server.now() });
    }
    expect(await isSignedIn(server, browser)).toBe(false);
  });
});

it('a session that is written back after its user was disabled MUST NOT live', async () => {
  const browser = await signedIn(server);
  const setStatus = (status: 'active' | 'disabled') =>
    server.db.kysely
      .updateTable('users')
      .set({ status })
      .where('email', '=', alice.email)
      .execute();
  await setStatus('disabled');
  expect(await isSignedIn(server, copyOf(server, browser))).toBe(false);
  await setStatus('active');
});

describe('parallel tabs of one browser', () => {
  const starts = (n: number): Flow[] =>
    Array.from({ length: n }, (_, tab) =>
      good({ state: `tab-${tab}`, redirect_uri: `http://127.0.0.1:${7000 + tab}/cb` }),
    );

  async function finished(flow: Flow, page: Page): Promise<void> {
    const answer = answerOf(page);
    expect(page.html).toBe('');
    expect(answer.get('state')).toBe(flow.params.state);
    const response = await redeem(server, flow, answer.get('code') ?? '');
    expect(response.status).toBe(200);
  }

  it('all finish, five interleaved step by step', async () => {
    const browser = server.browser();
    const flows = starts(5).map((flow, tab) => ({
      ...flow,
      params: { ...flow.params, prompt: tab % 2 ? 'consent' : 'login consent' },
    }));
    const pages: Page[] = [];
    for (const flow of flows) pages.push(await browser.open(authorizeUrl(server, flow)));
    for (let step = 0; step < 2; step += 1) {
      for (const [tab, page] of pages.entries()) {
        pages[tab] = await press(browser, page, isSignIn(page) ? typed(alice) : [approve]);
      }
    }
    for (const [tab, flow] of flows.entries()) {
      const page = pages[tab];
      if (page) await finished(flow, page);
    }
  });

  it.each([1, 2, 3, 4, 5])('all finish, three at once from signed out (round %i)', async () => {
    const browser = server.browser();
    const flows = starts(3);
    await Promise.all(
      flows.map(async (flow) => {
        let page = await browser.open(authorizeUrl(server, flow));
        if (isSignIn(page)) page = await press(browser, page, typed(alice));
        if (isConsent(page)) page = await press(browser, page, [approve]);
        await finished(flow, page);
      }),
    );
  });

  it('all finish, four at once from signed in', async () => {
    const browser = await signedIn(server);
    await Promise.all(
      starts(4).map(async (flow) => {
        let page = await browser.open(authorizeUrl(server, flow));
        if (isConsent(page)) page = await press(browser, page, [approve]);
        await finished(flow, page);
      }),
    );
  });

  it('of two people are never mixed up', async () => {
    const browser = server.browser();
    const [first, second] = await Promise.all([
      browser.open(authorizeUrl(server, good())),
      browser.open(authorizeUrl(server, good())),
    ]);
    const pages = await Promise.all([
      press(browser, first, typed(alice)),
      press(browser, second, typed(bob)),
    ]);
    for (const { response, html } of pages) {
      expect(response.status).toBeLessThan(500);
      expect(html).not.toContain('<script');
    }
    const home = await browser.open(`${server.url}/account`);
    const person = home.html.includes(alice.email) ? alice : bob;
    for (const page of pages.filter(isConsent)) {
      const answer = await press(browser, page, [approve]);
      const mine = page.html.includes(person.email);
      expect(answerOf(answer).has('code')).toBe(mine);
    }
  });
});
