import { describe, expect, it } from 'vitest';
import {
  type AccountView,
  accountPage,
  type ConnectedApp,
  linkUsedPage,
  type SetupView,
  type SignInView,
  setupPage,
  signedOutPage,
  signInPage,
} from './page.ts';

const evil = `"><img src=x onerror=alert(1)>\u202E'{{7*7}}${'x'.repeat(10_000)}`;
const names = (text: string) =>
  Array.from(text.matchAll(/<input [^>]*\bname="(\w+)"/g), ([, name]) => name);

describe('the sign-in page', () => {
  const markup = (change: Partial<SignInView> = {}) =>
    signInPage({ action: '/login/uid1', csrf: 'csrf-token', ...change }).body.toString();

  it('has one form with exactly csrf, username and password', () => {
    const text = markup({ providers: [{ name: 'Acme SSO', slug: 'acme' }] });
    expect(text.match(/<form\b/g)).toHaveLength(1);
    expect(text).toContain('<form method="post" action="/login/uid1">');
    expect(names(text)).toEqual(['csrf', 'username', 'password']);
    expect(text).toContain(
      '<button class="button" name="provider" value="acme" formnovalidate>Continue with <bdi>Acme SSO</bdi></button>',
    );
  });

  it('helps password managers and labels both inputs', () => {
    const text = markup();
    expect(text).toMatch(
      /<label for="username">.*<input id="username" [^>]*autocomplete="username"/,
    );
    expect(text).toMatch(
      /<label for="password">.*<input id="password" [^>]*type="password" autocomplete="current-password"/,
    );
  });

  it('keeps the name that was typed, never the password', () => {
    const text = markup({ username: 'alice@acme.example', problem: { kind: 'invalid' } });
    expect(text).toMatch(/<input id="username" [^>]*value="alice@acme\.example"/);
    expect(text).not.toMatch(/<input id="password" [^>]*value=/);
  });

  it('says what was wrong, tied to the inputs, in the same words whichever of the two it was', () => {
    const text = markup({ problem: { kind: 'invalid' } });
    expect(text).toMatch(
      /role="alert" id="problem">.*That e-mail and password do not belong together/,
    );
    expect(text.match(/aria-describedby="problem" aria-invalid="true"/g)).toHaveLength(2);
    expect(markup()).not.toContain('problem');
  });

  it.each([
    [871, '15 minutes'],
    [60, '1 minute'],
    [20, '20 seconds'],
  ])('says how long a lockout of %d s lasts', (retryAfter, words) => {
    expect(markup({ problem: { kind: 'locked', retryAfter } })).toContain(`Wait ${words}, then`);
  });

  it('says which app waits', () => {
    expect(markup({ clientName: 'Claude Code', resourceName: 'Acme Boards' })).toContain(
      'to connect <bdi>Claude Code</bdi> to <bdi>Acme Boards</bdi>.',
    );
  });

  it('shows hostile names inert', () => {
    const providers = [{ name: evil, slug: 'x' }];
    const text = markup({ clientName: evil, resourceName: evil, username: evil, providers });
    expect(text).not.toContain('<img');
    expect(text.replace(/<[^>]*>/g, '').length).toBeLessThan(1_000);
  });
});

describe('the setup page', () => {
  const view: SetupView = { action: '/setup', csrf: 't', minPasswordLength: 12 };

  it('asks for e-mail, name and password, and for the token only when it has none', () => {
    expect(names(setupPage(view).body.toString())).toEqual([
      'csrf',
      'token',
      'email',
      'name',
      'password',
    ]);
    const text = setupPage({ ...view, token: 'one-time' }).body.toString();
    expect(text).toContain('<input type="hidden" name="token" value="one-time">');
    expect(names(text)).toEqual(['csrf', 'token', 'email', 'name', 'password']);
  });

  it('says what was wrong and how long a password must be', () => {
    const text = setupPage({ ...view, problem: 'Too <short>.' }).body.toString();
    expect(text).toMatch(/role="alert".*Too &lt;short&gt;\./);
    expect(text).toContain('12 characters or more');
  });
});

describe('the account page', () => {
  const app: ConnectedApp = {
    grantId: 'gr_1',
    clientName: 'Claude Code',
    known: { kind: 'dcr' },
    resource: { name: 'Acme Boards', uri: 'https://mcp.acme.example/mcp' },
    workspace: 'Acme',
    scopes: [{ name: 'access_boards', description: 'Read your boards' }],
    since: new Date('2026-11-09T09:00:00Z'),
    lastUsed: new Date('2026-11-21T08:58:00Z'),
  };
  const markup = (change: Partial<AccountView> = {}) =>
    accountPage({
      user: { email: 'alice@acme.example' },
      apps: [app, { ...app, grantId: 'gr_2', lastUsed: undefined }],
      csrf: 'csrf-token',
      revokeAction: '/account/apps/disconnect',
      signOutAction: '/logout',
      tokens: { tokens: [], revokeAction: '/account/tokens/revoke' },
      now: new Date('2026-11-21T09:00:00Z'),
      ...change,
    }).body.toString();

  it('has a form per connected app that posts its grant, and one to sign out, each with csrf', () => {
    const forms = markup().match(/<form.*?<\/form>/gs) ?? [];
    expect(forms).toHaveLength(3);
    for (const form of forms) expect(form).toContain('name="csrf" value="csrf-token"');
    expect(forms[0]).toContain('action="/logout"');
    expect(forms[1]).toContain('action="/account/apps/disconnect"');
    expect(forms[1]).toContain('name="grant" value="gr_1"');
    expect(forms[2]).toContain('name="grant" value="gr_2"');
    expect(forms[1]).toContain('aria-label="Disconnect Claude Code from Acme Boards"');
  });

  it('says how the client is known, what it may do, where, and when it was used', () => {
    const text = markup();
    expect(text).toContain('Self-registered, unverified');
    expect(text).toContain('workspace <bdi>Acme</bdi>');
    expect(text).toContain('<bdi>Read your boards</bdi> <code><bdi>access_boards</bdi></code>');
    expect(text).toContain(
      '<time datetime="2026-11-21T08:58:00.000Z" title="2026-11-21T08:58:00.000Z">2 minutes ago</time>',
    );
    expect(text).toContain('<dd>never</dd>');
  });

  it('says how the first app comes to be when there is none', () => {
    expect(markup({ apps: [] })).toContain(
      'No app is connected. One appears here after you approve it.',
    );
  });

  it('shows hostile names inert', () => {
    const hostile = {
      ...app,
      clientName: evil,
      workspace: evil,
      grantId: evil,
      resource: { name: evil, uri: evil },
    };
    const text = markup({ apps: [hostile], user: { email: evil, name: evil }, done: evil });
    expect(text).not.toContain('<img');
    expect(text.replace(/="[^"]*"/g, '')).not.toMatch(/<[a-z][^>]*onerror/);
  });
});

it('after signing out it is said that connected apps keep their access', () => {
  const text = signedOutPage({ signInUrl: '/account' }).body.toString();
  expect(text).toContain('Connected apps keep their access');
  expect(text).toContain('href="/account"');
});

it.each<['used' | 'expired', string]>([
  ['used', 'This link was used before'],
  ['expired', 'This link is too old'],
])('a link that is %s says so and what to do', (reason, title) => {
  const text = linkUsedPage({ reason, next: 'Ask your app for a new link.' }).body.toString();
  expect(text).toContain(`<h1>${title}</h1>`);
  expect(text).toContain('Ask your app for a new link.');
});
