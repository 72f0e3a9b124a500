import { describe, expect, test } from 'vitest';
import { type ConsentQuestion, type GrantRow, needsConsent } from './index.ts';

const remembered: GrantRow = {
  id: 'gr_1',
  userId: 'usr_alice',
  clientId: 'dcr_1',
  resource: 'https://rs1.test/mcp',
  workspaceId: '',
  scopes: ['read'],
  offeredScopes: ['read', 'write'],
  redirectHost: 'app.test',
  clientDigest: 'd1',
  createdAt: new Date(0),
  updatedAt: new Date(0),
};
const question: ConsentQuestion = {
  remembered,
  client: { kind: 'dcr', digest: 'd1' },
  redirectUri: 'https://app.test/cb',
  scopes: ['read'],
  crossSite: false,
  promptConsent: false,
};
const kinds = ['preregistered', 'dcr', 'cimd'] as const;

function reasons(changes: Partial<ConsentQuestion>): string[] {
  const { ask, reasons } = needsConsent({ ...question, ...changes });
  expect(ask).toBe(reasons.length > 0);
  return reasons;
}

describe('nobody is asked again', () => {
  test.each(kinds)('by an unchanged %s client for what was granted', (kind) => {
    expect(reasons({ client: { kind, digest: 'd1' } })).toEqual([]);
  });

  test('by a native client whose loopback port is another one each time', () => {
    const native = { ...remembered, redirectHost: '127.0.0.1' };
    expect(reasons({ remembered: native, redirectUri: 'http://127.0.0.1:54321/cb' })).toEqual([]);
  });

  test('by a pre-registered client that is reached from another site', () => {
    expect(reasons({ client: { kind: 'preregistered', digest: 'd1' }, crossSite: true })).toEqual(
      [],
    );
  });
});

describe('a person MUST be asked', () => {
  test('CN01: the first time', () => {
    expect(reasons({ remembered: undefined })).toEqual(['first_time']);
  });

  test('when the grant was revoked', () => {
    expect(reasons({ remembered: { ...remembered, revokedAt: new Date(1) } })).toEqual(['revoked']);
  });

  test.each([
    ['dcr', 'https://app.test/cb'],
    ['cimd', 'https://app.test/cb'],
    ['dcr', 'http://127.0.0.1:1/cb'],
    ['cimd', 'cursor://x/cb'],
  ] as const)(
    'CN07: when a %s client arrives from another site, redirecting to %s',
    (kind, redirectUri) => {
      expect(reasons({ client: { kind, digest: 'd1' }, crossSite: true, redirectUri })).toContain(
        'cross_site',
      );
    },
  );

  test.each([
    'https://evil.test/cb',
    'https://app.test:8443/cb',
    'http://127.0.0.1:1/cb',
    'app.test:/cb',
  ])('DC12: when the redirect host is another one: %s', (redirectUri) => {
    for (const kind of kinds) {
      expect(reasons({ redirectUri, client: { kind, digest: 'd1' } })).toEqual([
        'redirect_host_changed',
      ]);
    }
  });

  test('a loopback host under another name is another host', () => {
    const native = { ...remembered, redirectHost: '127.0.0.1' };
    expect(reasons({ remembered: native, redirectUri: 'http://localhost:1/cb' })).toEqual([
      'redirect_host_changed',
    ]);
  });

  test('CI15: when the name, keys or redirect hosts of the client changed', () => {
    expect(reasons({ client: { kind: 'cimd', digest: 'd2' } })).toEqual(['client_changed']);
  });

  test('when scopes are asked for that were never offered', () => {
    expect(reasons({ scopes: ['read', 'admin'] })).toEqual(['more_scopes']);
    expect(reasons({ scopes: ['admin'] })).toEqual(['more_scopes']);
  });

  test('when nothing that is asked for was granted', () => {
    expect(reasons({ scopes: [] })).toEqual(['nothing_granted']);
  });

  test('about a box that was left empty, when a client steps up and asks for it again', () => {
    expect(reasons({ scopes: ['read', 'write'] })).toEqual(['more_scopes']);
  });

  test('when the client wants it: prompt=consent', () => {
    expect(reasons({ promptConsent: true })).toEqual(['prompt']);
  });

  test('for every reason that holds', () => {
    expect(
      reasons({
        promptConsent: true,
        crossSite: true,
        redirectUri: 'https://evil.test/cb',
        client: { kind: 'dcr', digest: 'd2' },
        scopes: ['admin'],
      }),
    ).toEqual(['prompt', 'cross_site', 'redirect_host_changed', 'client_changed', 'more_scopes']);
  });
});
