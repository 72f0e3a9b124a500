import { describe, expect, it } from 'vitest';
import { type ConsentView, consentPage } from './page.ts';

const view: ConsentView = {
  action: '/consent/uid1',
  csrf: 'csrf-token',
  client: { name: 'Claude Code', known: { kind: 'cimd', host: 'claude.ai' } },
  redirect: { host: 'localhost:53211', onThisComputer: true },
  resource: { name: 'Acme Boards', uri: 'https://mcp.acme.example/mcp' },
  scopes: [
    { name: 'access_boards', description: 'Read and change your boards' },
    { name: 'access_docs', description: 'Read your documents' },
  ],
  account: { email: 'alice@acme.example', switchUrl: '/logout?to=/consent/uid1' },
  lasts: { access: 900, refresh: { idle: 604_800, absolute: 7_776_000 } },
  accountUrl: '/account',
};
const markup = (change: Partial<ConsentView> = {}) =>
  consentPage({ ...view, ...change }).body.toString();
const inputs = (text: string, name: string) =>
  text.match(new RegExp(`<input [^>]*name="${name}"[^>]*>`, 'g')) ?? [];

describe('the consent page has what scripts rely on', () => {
  it('one form that posts, with a hidden csrf', () => {
    const text = markup();
    expect(text.match(/<form\b/g)).toHaveLength(1);
    expect(text).toContain('<form method="post" action="/consent/uid1">');
    expect(inputs(text, 'csrf')).toEqual(['<input type="hidden" name="csrf" value="csrf-token">']);
  });

  it('a ticked checkbox `scope` per scope, described in words first', () => {
    const text = markup();
    expect(inputs(text, 'scope')).toEqual([
      '<input type="checkbox" name="scope" value="access_boards" checked>',
      '<input type="checkbox" name="scope" value="access_docs" checked>',
    ]);
    expect(text).toMatch(
      /<bdi>Read and change your boards<\/bdi><code><bdi>access_boards<\/bdi><\/code>/,
    );
  });

  it('buttons `decision`, deny first, so that Enter in a field never approves', () => {
    const values = Array.from(
      markup().matchAll(/<button[^>]*name="decision" value="(\w+)"/g),
      ([, v]) => v,
    );
    expect(values).toEqual(['deny', 'approve']);
  });

  it('says when the role in the chosen workspace allows nothing of what was ticked', () => {
    const workspaces = [{ id: 'w1', name: 'Acme', checked: true }];
    const page = markup({ workspaces, problem: 'not-in-workspace' });
    expect(page).toContain('Your role in this workspace allows none of the ticked boxes');
    expect(page).toContain('<fieldset aria-describedby="problem">');
  });

  it('a radio `workspace` only where workspaces are given', () => {
    expect(inputs(markup(), 'workspace')).toEqual([]);
    const workspaces = [
      { id: 'w1', name: 'Acme', checked: true },
      { id: 'w2', name: 'Acme Labs' },
    ];
    expect(inputs(markup({ workspaces }), 'workspace')).toEqual([
      '<input type="radio" name="workspace" value="w1" checked>',
      '<input type="radio" name="workspace" value="w2">',
    ]);
  });

  it('shows again which boxes were unticked, and says that one is needed', () => {
    const scopes = view.scopes.map((scope) => ({ ...scope, checked: false }));
    const text = markup({ scopes, problem: 'no-scope' });
    expect(inputs(text, 'scope').join()).not.toContain('checked');
    expect(text).toMatch(/role="alert" id="problem">.*Tick at least one box/);
    expect(text).toContain('<fieldset aria-describedby="problem">');
    expect(markup()).not.toContain('role="alert"');
  });
});

describe('the consent page names', () => {
  it.each<[ConsentView['client']['known'], RegExp]>([
    [{ kind: 'preregistered' }, /chip good.*Registered by an operator/],
    [{ kind: 'cimd', host: 'claude.ai' }, /chip good.*Verified host: <bdi>claude\.ai<\/bdi>/],
    [{ kind: 'dcr' }, /chip warn.*Self-registered, unverified/],
  ])('how the client is known: %j', (known, expected) => {
    expect(markup({ client: { name: 'Claude Code', known } })).toMatch(expected);
  });

  it('client, resource and its URL', () => {
    const text = markup();
    expect(text).toContain('<h1><bdi>Claude Code</bdi> wants to use <bdi>Acme Boards</bdi></h1>');
    expect(text).toContain('<code><bdi>https://mcp.acme.example/mcp</bdi></code>');
  });

  it('the redirect host on its own line, whole however long it is', () => {
    const host = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.example:53211`;
    expect(markup()).toContain('<p class="host"><bdi>localhost:53211</bdi></p>');
    expect(markup({ redirect: { host, onThisComputer: false } })).toContain(`<bdi>${host}</bdi>`);
  });

  it('the risk when it returns to this computer, only then', () => {
    const elsewhere = { host: 'claude.ai', onThisComputer: false };
    expect(markup()).toContain('This is a program on your own computer');
    expect(markup({ redirect: elsewhere })).not.toContain('your own computer');
  });

  it('that a verified client returns to another host than its own', () => {
    const to = (host: string) => markup({ redirect: { host, onThisComputer: false } });
    expect(to('callback.example.net')).toContain('Another host');
    expect(to('claude.ai.example.net')).toContain('Another host');
    expect(to('api.claude.ai')).not.toContain('Another host');
  });

  it('the account and a link, not a form, to switch it', () => {
    expect(markup()).toMatch(
      /Signed in as <b><bdi>alice@acme\.example<\/bdi><\/b>.*<a href="\/logout\?to=\/consent\/uid1">Switch/,
    );
  });

  it('how long it lasts and where to end it', () => {
    expect(markup()).toContain(
      'at least every 7 days, at most 90 days. You can end it any time under <a href="/account">',
    );
    expect(markup({ lasts: { access: 900 } })).toContain('Lasts 15 minutes.');
    const untilEnded = { access: 900, untilEnded: true };
    expect(markup({ lasts: untilEnded })).toContain('Lasts until you end it.');
  });
});

it('hostile names are inert wherever they stand (T22, XS02)', () => {
  const evil = `"><img src=x onerror=alert(1)>\u202Egnp.exe{{7*7}}\${1}'${'x'.repeat(10_000)}`;
  const text = markup({
    action: evil,
    csrf: evil,
    client: { name: evil, known: { kind: 'cimd', host: evil } },
    redirect: { host: evil, onThisComputer: true },
    resource: { name: evil, uri: evil },
    scopes: [{ name: evil, description: evil }],
    workspaces: [{ id: evil, name: evil, detail: evil }],
    account: { email: evil, switchUrl: evil },
    accountUrl: evil,
  });
  expect(text).not.toMatch(/<img|<script/);
  expect(text.replace(/="[^"]*"/g, '')).not.toMatch(/<[a-z][^>]*onerror/);
  // Values of inputs are sent back as they were; what is shown has no override and is short.
  const shown = text.replace(/<[^>]*>/g, '');
  expect(shown).not.toContain('\u202E');
  expect(shown.length).toBeLessThan(6_000);
});
