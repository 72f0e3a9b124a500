import { describe, expect, test } from 'vitest';
import { OAuthError } from '../oauth/index.ts';
import { aResource } from '../resources/resource.testing.ts';
import { anIssued, aTarget, now, source } from './token-exchange.testing.ts';
import {
  authorityFor,
  chooseTarget,
  exchangeLifetime,
  keyToProve,
  requireActor,
  requireConsent,
  requireSubject,
} from './token-exchange-policy.ts';

const web = { clientId: 'WEB' };
const rs1 = { clientId: 'RS1' };
const gw = { clientId: 'GW' };
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const refusal = (error: string) => expect.objectContaining({ error });

/** The error that a call ends with. */
function caught(work: () => unknown): OAuthError {
  try {
    work();
  } catch (error) {
    if (error instanceof OAuthError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the subject', () => {
  test.each([
    ['its own client', anIssued(), web],
    ['a client that its resource is bound to', anIssued(), rs1],
    ['a client bound to the resource of a personal token', pat(), rs1],
    ['the client that it was exchanged for', anIssued({ client_id: 'RS1' }), rs1],
  ])('%s may exchange it', (_who, found, caller) => {
    const { subject } = requireSubject({ found, caller, audience: source, now });
    expect(subject).toBe(found);
  });

  test.each([
    ['nothing was found', undefined, web, 'not_a_live_token_of_ours'],
    ['it has ended', anIssued({ alive: false }), web, 'not_a_live_token_of_ours'],
    ['it is a refresh token', anIssued({ kind: 'refresh_token' }), web, 'not_an_access_token'],
    ['it has expired', anIssued({ expires_at: now }), web, 'expired'],
    ['less than a second is left', anIssued({ expires_at: inSeconds(0.9) }), web, 'expired'],
    ['it is of another client (TX01)', anIssued(), { clientId: 'WEB2' }, neither],
    ['it is a personal token of a stranger', pat(), web, neither],
    ['the caller has the name of the person', anIssued(), { clientId: 'usr_alice' }, neither],
  ])('MUST be refused when %s', (_why, found, caller, reason) => {
    const error = caught(() => requireSubject({ found, caller, audience: source, now }));
    expect(error.error).toBe('invalid_request');
    expect(error.detail?.reason).toBe(reason);
  });

  test.each([
    ['gone', undefined],
    ['switched off', aResource({ clients: ['RS1'], enabled: false })],
  ])('MUST be refused when its resource is %s', (_what, audience) => {
    const error = caught(() => requireSubject({ found: anIssued(), caller: web, audience, now }));
    expect(error.detail?.reason).toBe('resource_not_registered');
  });

  test('MUST get the same answer whatever is wrong: nobody probes the tokens of others', () => {
    const answers = [undefined, anIssued({ alive: false }), anIssued({ client_id: 'X' })].map(
      (found) => caught(() => requireSubject({ found, caller: web, audience: source, now })),
    );
    expect(new Set(answers.map(({ description }) => description)).size).toBe(1);
  });
});

const neither = 'caller_is_neither_its_client_nor_in_its_audience';

function pat() {
  return anIssued({ kind: 'personal_access_token', client_id: null, grant_type: 'x' });
}

describe('the actor token', () => {
  test('is a live one that was issued to the caller', () => {
    const found = anIssued({ client_id: 'GW', sub: 'GW' });
    expect(requireActor(found, gw, now)).toBe(found);
  });

  test.each([
    ['nothing was found', undefined],
    ['it has ended', anIssued({ client_id: 'GW', sub: 'GW', alive: false })],
    ['it has expired', anIssued({ client_id: 'GW', sub: 'GW', expires_at: now })],
    ['it is a refresh token', anIssued({ client_id: 'GW', sub: 'GW', kind: 'refresh_token' })],
    ['it is a personal token', pat()],
    ['it is of another client', anIssued()],
    ['it is of a user', anIssued({ client_id: 'GW' })],
    [
      'it is delegated itself',
      anIssued({ client_id: 'GW', sub: 'GW', claims: { act: { sub: 'X' } } }),
    ],
  ])('MUST be refused when %s', (_why, found) => {
    expect(() => requireActor(found, gw, now)).toThrow(refusal('invalid_request'));
  });
});

describe('the target', () => {
  const other = aTarget();
  const resources = [
    source,
    other,
    aTarget({ uri: 'https://off.test', slug: 'off', enabled: false }),
  ];
  const choose = (resource: string[], audience: string[]) =>
    chooseTarget({ resource, audience, source, resources }).uri;

  test.each([
    ['nothing', [], [], source.uri],
    ['empty values', [''], [''], source.uri],
    ['the same resource', [source.uri], [], source.uri],
    ['another resource', [other.uri], [], other.uri],
    ['another spelling', ['HTTPS://RS2.test:443/mcp/'], [], other.uri],
    ['a URI as audience', [], [other.uri], other.uri],
    ['a short name as audience', [], ['rs2'], other.uri],
    ['one resource by three names', [other.uri], ['rs2', 'https://rs2.test/mcp/'], other.uri],
  ])('%s', (_what, resource, audience, uri) => {
    expect(choose(resource, audience)).toBe(uri);
  });

  test.each([
    ['an unknown resource', ['https://evil.test'], []],
    ['an unknown audience', [], ['https://evil.test']],
    ['a word that names nothing', [], ['evil']],
    ['a client_id', [], ['WEB']],
    ['a resource that is off', ['https://off.test'], []],
    ['a short name that is off', [], ['off']],
    ['two resources', [source.uri, other.uri], []],
    ['two audiences', [], ['rs1', 'rs2']],
    ['a resource and another audience', [source.uri], ['rs2']],
    ['a known and an unknown one', [source.uri, 'https://evil.test'], []],
    ['a fragment', [`${source.uri}#x`], []],
  ])('%s MUST be invalid_target (RFC 8693 §2.2.2)', (_what, resource, audience) => {
    expect(() => choose(resource, audience)).toThrow(refusal('invalid_target'));
  });
});

describe('the right to a token for a target', () => {
  const person = anIssued();
  const machine = anIssued({ username: null, sub: 'GW' });
  const operator = { clients: ['GW'], consent: 'operator', impersonation: [] } as const;
  const standing = aTarget({ exchange: { ...operator, clients: ['GW'], impersonation: [] } });

  test.each([
    ['the own resource needs no policy', person, source, rs1, 'same_resource'],
    ['nor does it for a machine', machine, source, rs1, 'same_resource'],
    ['a listed client needs the consent of the user', person, aTarget(), gw, 'consent'],
    ['or the policy of the operator', person, standing, gw, 'operator'],
    ['which is enough for a machine', machine, standing, gw, 'operator'],
    [
      'a token with a workspace may go where one is needed',
      anIssued({ workspace_id: 'w1' }),
      aTarget({ workspaceScoped: true }),
      gw,
      'consent',
    ],
    [
      'a ceiling that has the target',
      person,
      standing,
      { ...gw, resources: [standing.uri] },
      'operator',
    ],
  ])('%s', (_what, subject, target, caller, authority) => {
    expect(authorityFor({ subject, source, target, caller })).toBe(authority);
  });

  test.each([
    ['a target without a policy', person, aTarget({ exchange: undefined }), gw],
    ['a client that is not listed', person, standing, rs1],
    [
      'a listed client whose ceiling lacks it',
      person,
      standing,
      { ...gw, resources: [source.uri] },
    ],
    ['a machine where a user must consent', machine, aTarget(), gw],
    [
      'a token without a workspace where one is needed',
      person,
      aTarget({ workspaceScoped: true }),
      gw,
    ],
    ['also under a policy', person, { ...standing, workspaceScoped: true }, gw],
    ['also for the same resource', person, { ...source, workspaceScoped: true }, rs1],
    ['the bound client of the target', person, aTarget({ clients: ['RS2'] }), { clientId: 'RS2' }],
  ])('%s MUST be invalid_target', (_what, subject, target, caller) => {
    expect(() => authorityFor({ subject, source, target, caller })).toThrow(
      refusal('invalid_target'),
    );
  });

  test('a consent that is missing MUST be refused and says where it is given', () => {
    const error = caught(() => requireConsent(undefined, aTarget()));
    expect(error.error).toBe('invalid_target');
    expect(error.description).toMatch(/authorization endpoint/);
    expect(requireConsent('gr_1', aTarget())).toBe('gr_1');
  });
});

test.each([
  ['the target says so', 60, [300], 60],
  ['the subject ends before', 900, [300], 300],
  ['the actor token ends before', 900, [300, 20], 20],
  ['fractions are cut', 900, [10.9], 10],
])('lifetime is the shortest of all: %s', (_what, ttl, left, expected) => {
  const parents = left.map((seconds) => anIssued({ expires_at: inSeconds(seconds) }));
  expect(exchangeLifetime(ttl, parents, now)).toBe(expected);
});

test('a JWT that is exchanged MUST NOT outlive its subject by a fraction of a second', () => {
  const issuedAt = 1_800_000_000.9; // exp of the subject is 1_800_000_300, its record says .9 more
  const parent = { expires_at: new Date((issuedAt + 300) * 1000) };
  for (const at of [issuedAt, issuedAt + 0.05, issuedAt + 0.2, issuedAt + 7.95]) {
    const exp = Math.floor(at) + exchangeLifetime(900, [parent], new Date(at * 1000));
    expect(exp).toBeLessThanOrEqual(1_800_000_300);
  }
});

describe('the key that MUST be proven', () => {
  test.each([
    ['none', [null], undefined],
    ['that of the subject', ['k1', null], 'k1'],
    ['that of the actor', [null, 'k1'], 'k1'],
    ['the one of both', ['k1', 'k1'], 'k1'],
  ])('%s', (_what, keys, expected) => {
    expect(keyToProve(keys.map((jkt) => ({ jkt })))).toBe(expected);
  });

  test('two keys MUST be refused', () => {
    expect(() => keyToProve([{ jkt: 'k1' }, { jkt: 'k2' }])).toThrow(refusal('invalid_request'));
  });
});
