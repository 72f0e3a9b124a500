import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readForm } from './browser.testing.ts';
import { authorizeUrl, good } from './flow.testing.ts';
import {
  answerOf,
  isConsent,
  isSignIn,
  openConsent,
  type Page,
  press,
  selfRegistered,
  signedIn,
} from './people.testing.ts';
import { alice, startServer, type TestServer } from './server.testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const callback = 'https://client.test/cb';

/** XS02: each breaks out of another place: text, attributes, templates, comments, scripts. */
const payloads = [
  '"><img src=x onerror=alert(1)>',
  "'><svg onload=alert(1)>",
  '</title></style></textarea><script>alert(1)</script>',
  '" autofocus onfocus=alert(1) x="',
  `{{1337*1337}}$${'{1337*1337}'}<%= 1337*1337 %>#{1337*1337}`,
  '--><script>alert(1)</script><!--',
  'javascript:alert(1)',
  '&lt;img src=x onerror=alert(1)&gt;',
  '\u202e\u2066gnp.exe <b>bold</b>',
];

/** The only elements that a page of ours has; none of them runs, loads or embeds anything. */
const elements = new Set(
  `html head meta title link body main section header footer h1 h2 h3 p a b small span bdi code div ul li
  dl dt dd form fieldset legend input button label time svg path circle`.split(/\s+/),
);
const attributes = new Set(
  `lang charset name content rel href class id for type value action method checked required autofocus
  autocomplete autocapitalize inputmode spellcheck role title datetime alt
  d viewBox width height fill stroke stroke-width stroke-linecap stroke-linejoin cx cy r focusable xmlns`.split(
    /\s+/,
  ),
);

/** Fails for markup that is not ours, and for any security header that is missing (HD01, T8, T9). */
function expectInert({ response, html }: Page): void {
  expect(response.status).toBeLessThan(500);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  for (const [tag, name = '', rest = ''] of html.matchAll(
    /<\/?([a-z][\w-]*)((?:"[^"]*"|[^">])*)>/gi,
  )) {
    expect(elements, tag).toContain(name.toLowerCase());
    for (const [, attribute = '', value = ''] of rest.matchAll(/([^\s=/"]+)(?:="([^"]*)")?/g)) {
      if (!attribute.startsWith('aria-')) expect(attributes, tag).toContain(attribute);
      if (attribute === 'href' || attribute === 'action') {
        expect(value, tag).toMatch(/^(\/(?!\/)|https:\/\/client\.test\/)/);
      }
    }
  }
  expect(html.match(/<(?!\/?[a-z]|!doctype html>)/gi)).toBeNull(); // no comment, no stray bracket
  expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  expect(html).not.toContain('1787569');

  const policy = response.headers.get('content-security-policy') ?? '';
  const rules = new Map(policy.split('; ').map((rule) => [rule.split(' ')[0], rule]));
  expect(rules.get('default-src')).toBe("default-src 'none'");
  expect(rules.get('style-src')).toBe("style-src 'self'");
  expect(rules.get('frame-ancestors')).toBe("frame-ancestors 'none'");
  expect(rules.get('base-uri')).toBe("base-uri 'none'");
  expect(rules.has('script-src')).toBe(false);
  expect(policy).not.toMatch(/unsafe|\*|data:|blob:|https?:/);
  const { headers } = response;
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe(
    html.includes('<form') ? 'same-origin' : 'no-referrer',
  );
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('server')).toBeNull();
  expect(headers.get('x-powered-by')).toBeNull();
}

describe.each(payloads)('%s is inert', (payload) => {
  it('as a client_name: at sign-in, consent, account and in an error', async () => {
    const client_id = await selfRegistered(server, {
      client_name: payload,
      redirect_uris: [callback],
    });
    const flow = good({ client_id, redirect_uri: callback });
    const signIn = await server.browser().open(authorizeUrl(server, flow));
    expect(isSignIn(signIn)).toBe(true);
    expectInert(signIn);

    const { browser, page } = await openConsent(server, flow);
    expect(page.html).toContain('wants to use');
    expectInert(page);
    await press(browser, page, [['decision', 'approve']]);
    const account = await browser.open(`${server.url}/account`);
    expect(account.html).toContain('Disconnect');
    expectInert(account);

    const failed = await server
      .browser()
      .open(authorizeUrl(server, good({ client_id, redirect_uri: callback, prompt: 'none' })));
    expect(failed.html).toContain('Go back to');
    expectInert(failed);
  });

  it('as state, scope and login_hint; state comes back whole', async () => {
    const browser = server.browser();
    const flow = good({ state: payload, scope: `mcp:read ${payload}`, login_hint: payload });
    const signIn = await browser.open(authorizeUrl(server, flow));
    if (answerOf(signIn).has('error')) {
      expect(answerOf(signIn).get('state')).toBe(payload);
      return;
    }
    expectInert(signIn);
    const page = await press(browser, signIn, [
      ['username', alice.email],
      ['password', alice.password],
    ]);
    expectInert(page);
    const answer = answerOf(await press(browser, page, [['decision', 'deny']]));
    expect(answer.get('state')).toBe(payload);
  });

  it('as what was typed into the sign-in page', async () => {
    const browser = server.browser();
    const page = await browser.open(authorizeUrl(server, good()));
    const failed = await press(browser, page, [
      ['username', payload],
      ['password', payload],
    ]);
    expect(isSignIn(failed)).toBe(true);
    expectInert(failed);
  });

  it('as the name of a person', async () => {
    const email = `xss${payloads.indexOf(payload)}@example.test`;
    const password = 'correct horse xss';
    const { accounts } = server.app.rooms;
    await accounts.create({ email, password, name: payload, source: 'cli' }, { at: server.now() });
    const browser = await signedIn(server, { email, password });
    expectInert(await browser.open(`${server.url}/account`));
  });

  it.each([
    'client_id',
    'redirect_uri',
    'resource',
    'response_type',
    'response_mode',
    'prompt',
    'code_challenge',
    'request',
    'request_uri',
    'error',
    'error_description',
  ])('as %s of an authorization', async (parameter) => {
    const page = await server.browser().open(authorizeUrl(server, good({ [parameter]: payload })));
    if (page.html) expectInert(page);
    else expect(page.url).toMatch(/^http:\/\/127\.0\.0\.1:7777\/cb\?/);
  });

  it('as a path, for browsers and for programs (XS03)', async () => {
    for (const path of ['/', '/login/', '/consent/', '/oauth/callback/']) {
      const url = `${server.url}${path}${encodeURIComponent(payload)}`;
      expectInert(await server.browser().open(url));
      const json = await fetch(url, { headers: { accept: '*/*' } });
      expect(json.headers.get('content-type')).toMatch(/^application\/json/);
      expect(json.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await json.text()).not.toContain(payload.slice(0, 12));
    }
  });

  it('as error and error_description in the address (XS03)', async () => {
    const query = new URLSearchParams({ error: payload, error_description: payload });
    for (const path of [
      '/oauth/authorize',
      '/account/sign-in',
      '/logout',
      '/login/x',
      '/nowhere',
    ]) {
      const page = await server.browser().open(`${server.url}${path}?${query}`);
      expectInert(page);
    }
  });
});

describe('every page', () => {
  it('has no inline style, no script and loads nothing from elsewhere', async () => {
    const { browser, page } = await openConsent(server, good());
    const pages = [
      await server.browser().open(authorizeUrl(server, good())),
      page,
      await browser.open(`${server.url}/account`),
      await server.browser().open(`${server.url}/account/sign-in`),
      await server.browser().open(`${server.url}/nowhere`),
      await server.browser().open(`${server.url}/login/unknown`),
      await server.browser().open(`${server.url}/consent/unknown`),
      await server.browser().open(`${server.url}/oauth/authorize`),
      await press(server.browser(), page, []),
    ];
    for (const one of pages) {
      expectInert(one); // knows neither script nor style, as elements or as attributes
      expect(one.html).not.toMatch(/(src|href)="(https?:)?\/\//);
    }
  });

  it('of an authorization lets its form lead to the client, no other page does', async () => {
    const { browser, page } = await openConsent(server, good());
    const account = await browser.open(`${server.url}/account`);
    const policyOf = ({ response }: Page) => response.headers.get('content-security-policy');
    expect(policyOf(page)).not.toContain('form-action');
    expect(policyOf(account)).toContain("form-action 'self'");
  });
});

describe('a javascript: redirect (XS01)', () => {
  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,x',
  ])('%s is never followed nor linked', async (redirect_uri) => {
    await expect(selfRegistered(server, { redirect_uris: [redirect_uri] })).rejects.toThrow(
      'invalid_redirect_uri',
    );
    const page = await server.browser().open(authorizeUrl(server, good({ redirect_uri })));
    expect(page.response.status).toBe(400);
    expect(page.response.headers.get('location')).toBeNull();
    expectInert(page);
  });
});

it('what a page may hold is really looked at', () => {
  const ok = {
    response: new Response('', { headers: { 'content-type': 'text/html; charset=utf-8' } }),
  };
  for (const html of [
    '<img src="x">',
    '<p onclick="x">',
    '<a href="javascript:x">',
    '<a href="//evil.test/">',
    '<p style="x">',
    '<!-- x -->',
    '<script>',
    '</script>',
    'a < b',
  ]) {
    const page = { ...ok, url: '', html };
    expect(() => expectInert(page), html).toThrow(/toContain|to include|to match|to be null/i);
  }
  expect(isConsent({ html: '' })).toBe(false);
  expect(readForm('').fields).toEqual([]);
});
