import { describe, expect, it } from 'vitest';
import { iconInPage, isIconDue } from './icon-policy.ts';
import type { ServerInput } from './server-input.ts';
import { changedServer, serverChanges } from './server-policy.ts';
import { afterDisable, afterProbe, enableStep, isOff, triesOAuth } from './server-state-policy.ts';

const where = { development: false };
const url = 'https://mcp.example.com/mcp';

function stored(input: ServerInput) {
  return changedServer(undefined, { name: 'One', url, ...input }, where);
}

describe('changedServer', () => {
  const secrets = {
    ...{ apiKey: 'key', oauthClientId: 'client', oauthClientSecret: 'secret' },
    headers: { 'X-Team': 'red' },
  };

  it.each<
    [string, ServerInput, { apiKey: boolean; secret: boolean; headers: boolean; drops: boolean }]
  >([
    ['name', { name: 'Two' }, { apiKey: true, secret: true, headers: true, drops: false }],
    ['scopes', { oauthScopes: 'a b' }, { apiKey: true, secret: true, headers: true, drops: false }],
    ['the same URL', { url }, { apiKey: true, secret: true, headers: true, drops: false }],
    ['URL', { url: `${url}2` }, { apiKey: false, secret: false, headers: false, drops: true }],
    [
      'authType',
      { authType: 'none' },
      { apiKey: false, secret: false, headers: true, drops: true },
    ],
    [
      'client',
      { oauthClientId: 'other' },
      { apiKey: true, secret: false, headers: true, drops: true },
    ],
    [
      'token endpoint',
      { oauthTokenEndpoint: 'https://as.example.com/t' },
      { apiKey: true, secret: false, headers: true, drops: true },
    ],
    [
      'authorization endpoint',
      { oauthAuthorizationEndpoint: 'https://as.example.com/a' },
      { apiKey: true, secret: false, headers: true, drops: true },
    ],
  ])(
    'another %s MUST leave the credentials that are still for the same one (U07)',
    (_, input, expected) => {
      const after = changedServer(stored({ authType: 'oauth', ...secrets }), input, where);
      expect({
        apiKey: after.secrets.apiKey === 'key',
        secret: after.secrets.oauthClientSecret === 'secret',
        headers: after.secrets.headers['X-Team'] === 'red',
        drops: after.dropsConnections,
      }).toEqual(expected);
    },
  );

  it('credentials that come with the new URL MUST be kept', () => {
    const change = { url: `${url}2`, apiKey: 'new', headers: { 'X-Team': 'blue' } };
    const after = changedServer(stored({ authType: 'api_key', ...secrets }), change, where);
    expect(after.secrets).toMatchObject({ apiKey: 'new', headers: { 'X-Team': 'blue' } });
  });

  it('a header value MUST NOT stay over a change of URL', () => {
    const change = { url: `${url}2`, headers: { 'X-Team': null } };
    expect(() => changedServer(stored(secrets), change, where)).toThrow(/headers\.X-Team/);
  });

  it('null MUST take away, and the log say of secrets only that they changed', () => {
    const before = stored({ authType: 'api_key', ...secrets, connectorId: 'c' });
    const after = changedServer(before, { apiKey: null, connectorId: null }, where);
    expect(after.secrets.apiKey).toBeUndefined();
    expect(serverChanges(before, after)).toEqual([
      { field: 'connectorId', from: 'c', to: null },
      { field: 'apiKey', from: '(secret)', to: null },
    ]);
  });

  it.each([
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://10.1.2.3/',
    'https://localhost/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://h.example/#f',
    'https://h.example/../x',
    'https://h\u00e4.example/',
  ])('MUST refuse the address %s of a public server (CI02, CI03)', (address) => {
    expect(() => stored({ url: address })).toThrow(/^invalid_request: url /);
  });

  it('http MUST be for this computer and development only', () => {
    const input = { name: 'One', url: 'http://127.0.0.1:4000/mcp' };
    expect(() => changedServer(undefined, input, where)).toThrow(/url/);
    const here = changedServer(undefined, input, { development: true });
    expect(here.settings.url).toBe(input.url);
    const lan = { name: 'One', url: 'http://10.0.0.1/mcp' };
    expect(() => changedServer(undefined, lan, { development: true })).toThrow(/url/);
  });
});

describe('the state machine', () => {
  it.each([
    ['READY', true, 'none', true, 'nothing'],
    ['READY', false, 'oauth', false, 'switch_on'],
    ['REGISTER', false, 'none', true, 'connect'],
    ['REGISTER', false, 'api_key', true, 'connect'],
    ['REGISTER', false, 'oauth', false, 'set_up'],
    ['REGISTER', false, 'oauth', true, 'connect'],
    ['REGISTER', false, 'direct_auth', false, 'ask_member'],
    ['AUTHORIZE', false, 'oauth', false, 'ask_member'],
    ['AUTHORIZE', false, 'oauth', true, 'connect'],
  ] as const)(
    'enable of %s (enabled: %s, %s, access: %s) MUST be %s',
    (state, enabled, authType, hasAccess, step) => {
      expect(enableStep({ state, enabled, authType }, hasAccess)).toBe(step);
    },
  );

  it('a successful probe MUST make any state ready and enabled, a failed one nothing', () => {
    for (const state of ['REGISTER', 'AUTHORIZE', 'READY'] as const) {
      const off = { state, enabled: false, authType: 'none' } as const;
      expect(afterProbe(off, 'answered')).toEqual({ state: 'READY', enabled: true });
      expect(afterProbe(off, 'failed')).toBeUndefined();
      expect(afterProbe(off, 'unauthorized')).toBeUndefined();
    }
  });

  it('only what was added without authentication MUST be tried with OAuth', () => {
    const none = { state: 'REGISTER', enabled: false, authType: 'none' } as const;
    expect(triesOAuth(none, 'unauthorized')).toBe(true);
    expect(triesOAuth(none, 'failed')).toBe(false);
    expect(triesOAuth({ ...none, authType: 'api_key' }, 'unauthorized')).toBe(false);
    expect(triesOAuth({ ...none, state: 'READY' }, 'unauthorized')).toBe(false);
  });

  it('disable MUST keep the state, but for an OAuth registration that is cleared', () => {
    const ready = { state: 'READY', enabled: true, authType: 'oauth' } as const;
    expect(afterDisable(ready, false)).toEqual({ state: 'READY', enabled: false });
    expect(afterDisable(ready, true)).toEqual({ state: 'REGISTER', enabled: false });
    const keyed = { ...ready, authType: 'api_key' } as const;
    expect(afterDisable(keyed, true)).toEqual({ state: 'READY', enabled: false });
    expect(isOff({ ...ready, enabled: false })).toBe(true);
    expect(isOff({ ...ready, state: 'REGISTER', enabled: false })).toBe(false);
  });
});

describe('icons', () => {
  const page = 'https://mcp.example.com/';
  it.each([
    ['<link rel="icon" href="/a.png">', 'https://mcp.example.com/a.png'],
    ["<LINK HREF='b.ico' REL='shortcut icon'>", 'https://mcp.example.com/b.ico'],
    ['<link rel="icon" href="https://evil.example/x.png">', undefined],
    ['<link rel="icon" href="http://mcp.example.com/x.png">', undefined],
    ['<link rel="icon" href="data:image/png;base64,AAAA">', undefined],
    ['<link rel="stylesheet" href="/a.png">', undefined],
    [`${' '.repeat(70_000)}<link rel="icon" href="/a.png">`, undefined],
  ])('MUST be at the same origin: %s', (html, expected) => {
    expect(iconInPage(html, page)).toBe(expected);
  });

  it('MUST be looked for once a day', () => {
    const now = new Date('2026-11-21T12:00:00Z');
    expect(isIconDue({}, now)).toBe(true);
    expect(isIconDue({ iconTriedAt: new Date('2026-11-21T00:00:00Z') }, now)).toBe(false);
    expect(isIconDue({ iconTriedAt: new Date('2026-11-20T11:00:00Z') }, now)).toBe(true);
  });
});
