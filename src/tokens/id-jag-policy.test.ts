import { describe, expect, test } from 'vitest';
import { judgeClaims, readIdJag, type UnverifiedIdJag } from './id-jag-policy.ts';
import { IdJagRefusal } from './id-jag-refusals.ts';

const now = new Date('2026-03-01T12:00:00Z');
const at = now.getTime() / 1000;
const issuer = 'https://idp.test';
const expected = { audience: 'https://as.test', clientId: 'app', now };

const good: Record<string, unknown> = {
  ...{ iss: issuer, sub: 'U-1', aud: 'https://as.test', client_id: 'app' },
  ...{ resource: 'https://rs.test/mcp', jti: 'j-1', iat: at, exp: at + 300 },
};

function judge(changes: Record<string, unknown> = {}) {
  const unverified: UnverifiedIdJag = {
    header: { alg: 'ES256' },
    claims: { ...good, ...changes },
    issuer,
  };
  return judgeClaims(unverified, expected);
}

/** The reason for which something is refused; undefined when it is not. */
function reasonOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof IdJagRefusal) return error.reason;
    throw error;
  }
}

function jws(header: unknown, claims: unknown = good): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.AAAA`;
}

const typ = 'oauth-id-jag+jwt';

describe('the form of an assertion', () => {
  test('is read with the key that it names and the issuer that it claims', () => {
    expect(readIdJag(jws({ alg: 'RS256', kid: 'k1', typ }))).toEqual({
      header: { alg: 'RS256', kid: 'k1' },
      claims: good,
      issuer,
    });
  });

  test.each([
    ['missing', undefined],
    ['missing', ''],
    ['malformed', 'x'],
    ['malformed', 'a.b'],
    ['malformed', 'a.b.c.d.e'],
    ['malformed', '..'],
    ['malformed', 'e30.W10.AA'],
    ['malformed', `${jws({ alg: 'ES256', typ })}=`],
    ['malformed', `${jws({ alg: 'ES256', typ })}${'A'.repeat(8192)}`],
    ['malformed', jws({ alg: 'ES256', typ }, [])],
    ['malformed', jws('x')],
    ['type', jws({ alg: 'ES256' })],
    ['type', jws({ alg: 'ES256', typ: 'JWT' })],
    ['type', jws({ alg: 'ES256', typ: 'at+jwt' })],
    ['type', jws({ alg: 'ES256', typ: [typ] })],
    ['type', jws({ alg: 'ES256', typ: `application/application/${typ}` })],
    ['type', jws({ alg: 'ES256', typ: ` ${typ}` })],
    ['algorithm', jws({ typ })],
    ['algorithm', jws({ typ, alg: 'none' })],
    ['algorithm', jws({ typ, alg: 'None' })],
    ['algorithm', jws({ typ, alg: 'HS256' })],
    ['algorithm', jws({ typ, alg: 'RSA-OAEP' })],
    ['algorithm', jws({ typ, alg: ['ES256'] })],
    ['issuer', jws({ alg: 'ES256', typ }, { ...good, iss: undefined })],
    ['issuer', jws({ alg: 'ES256', typ }, { ...good, iss: [issuer] })],
  ])('MUST be refused as %s: %#', (reason, assertion) => {
    expect(reasonOf(() => readIdJag(assertion))).toBe(reason);
  });

  test.each([typ, 'OAUTH-ID-JAG+JWT', `application/${typ}`, `Application/${typ}`])(
    '%s is its type',
    (one) => {
      expect(reasonOf(() => readIdJag(jws({ alg: 'ES256', typ: one })))).toBeUndefined();
    },
  );
});

describe('the claims of an assertion', () => {
  test('say for whom and for what it is', () => {
    expect(
      judge({ scope: 'a b', email: 'ada@corp.test', name: 'Ada', cnf: { jkt: 'x'.repeat(43) } }),
    ).toEqual({
      issuer,
      subject: 'U-1',
      jti: 'j-1',
      expiresAt: new Date((at + 300) * 1000),
      resource: 'https://rs.test/mcp',
      scope: 'a b',
      jkt: 'x'.repeat(43),
      email: 'ada@corp.test',
      name: 'Ada',
    });
  });

  test('an address that the issuer calls unverified is nobody’s', () => {
    expect(judge({ email: 'ada@corp.test', email_verified: false }).email).toBeUndefined();
    expect(judge({ email: 'ada@corp.test', email_verified: true }).email).toBe('ada@corp.test');
    expect(judge({ email: ['ada@corp.test'] }).email).toBeUndefined();
    for (const email_verified of ['false', 0, '', null, 1, 'TRUE', [true]])
      expect(judge({ email: 'ada@corp.test', email_verified }).email).toBeUndefined();
    expect(judge({ email: 'ada@corp.test', email_verified: 'true' }).email).toBe('ada@corp.test');
  });

  test.each<[string | undefined, Record<string, unknown>]>([
    [undefined, { aud: ['https://as.test'] }],
    ['audience', { aud: [] }],
    ['audience', { aud: ['https://as.test', 'https://as.test'] }],
    ['audience', { aud: [['https://as.test']] }],
    ['audience', { aud: 'https://as.test/' }],
    ['audience', { aud: 'https://AS.test' }],
    ['client', { client_id: 'App' }],
    ['client', { client_id: ['app'] }],
    ['subject', { sub: '\u0000' }],
    ['subject', { sub: '\ud800' }],
    ['subject', { sub: 'x'.repeat(256) }],
    [undefined, { sub: 'x'.repeat(255) }],
    [undefined, { exp: at - 4, iat: at - 100 }],
    ['expired', { exp: at - 5, iat: at - 100 }],
    ['expired', { exp: Number.NaN }],
    ['expired', { exp: null }],
    [undefined, { iat: at + 30, nbf: at + 30 }],
    ['not_yet_valid', { iat: at + 31 }],
    ['not_yet_valid', { nbf: at + 31 }],
    ['not_yet_valid', { nbf: 'soon' }],
    [undefined, { exp: at + 3600 }],
    ['lifetime', { exp: at + 3601 }],
    ['lifetime', { exp: 1e300 }],
    ['lifetime', { iat: -1e300 }],
    ['lifetime', { iat: at + 10, exp: at + 5 }],
    ['jti', { jti: 'x'.repeat(1025) }],
    [undefined, { jti: 'x'.repeat(1024) }],
    ['tenant', { tenant: '' }],
    ['unsupported_claim', { act: null }],
    ['key_binding', { cnf: null }],
    ['key_binding', { cnf: {} }],
    ['key_binding', { cnf: { jkt: 'short' } }],
    ['key_binding', { cnf: { jkt: 'x'.repeat(43), 'x5t#S256': 'x'.repeat(43) } }],
    ['scope', { scope: 7 }],
  ])('are refused as %s with %j', (reason, changes) => {
    expect(reasonOf(() => judge(changes))).toBe(reason);
  });

  test('a refusal says the same outside whatever is wrong', () => {
    const outside = [{ aud: 'x' }, { client_id: 'x' }, { exp: 0 }, { jti: 7 }].map((changes) => {
      try {
        judge(changes);
        throw new Error('not refused');
      } catch (error) {
        if (!(error instanceof IdJagRefusal)) throw error;
        return `${error.error} ${error.description}`;
      }
    });
    expect(new Set(outside).size).toBe(1);
  });
});
