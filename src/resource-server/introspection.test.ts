import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Watched, watchedIssuer } from './introspection.testing.ts';
import { bearer, granted, post, refused, resource, toolCall } from './requests.testing.ts';

let at: Watched;

beforeEach(async () => {
  at = await watchedIssuer();
});

const active = (claims: Record<string, unknown> = {}) =>
  Response.json({ active: true, iss: 'https://auth.test', aud: resource, sub: 'usr_1', ...claims });

describe('a token that is no JWT (RFC 7662)', () => {
  it.each(['opaque', 'personal', 'credential'] as const)(
    'is asked about and let through with who calls: %s',
    async (kind) => {
      const token = await at.local.testToken({ kind, sub: 'usr_ada', workspaceId: 'w1' });
      const { auth } = await granted(await at.kit().handle(post(bearer(token))));
      expect(auth).toMatchObject({ token, scopes: ['read', 'write'] });
      expect(auth.extra).toMatchObject({
        sub: 'usr_ada',
        workspace_id: 'w1',
        iss: 'https://auth.test',
      });
      expect(auth.extra).not.toHaveProperty('active');
      expect(at.asked.map(({ form }) => form.get('token'))).toEqual([token]);
    },
  );

  it('needs the scopes of a tool like any other', async () => {
    const token = await at.local.testToken({ kind: 'opaque', scopes: ['read'] });
    const kit = at.kit();
    await granted(await kit.handle(post(bearer(token), toolCall('look'))));
    const answer = await refused(await kit.handle(post(bearer(token), toolCall('change'))));
    expect(answer).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } });
  });

  it('has its end, and one without an end has one 300 s ahead, because the MCP SDK refuses it otherwise', async () => {
    const opaque = await at.local.testToken({ kind: 'opaque', expiresIn: 60 });
    const lasting = await at.local.testToken({ kind: 'credential' });
    const now = Math.floor(at.now().getTime() / 1000);
    const end = async (token: string) =>
      (await granted(await at.kit().handle(post(bearer(token))))).auth.expiresAt;
    expect(await end(opaque)).toBe(now + 60);
    expect(await end(lasting)).toBe(now + 300);
  });

  it('of a person without a client is called by the person', async () => {
    const token = await at.local.testToken({ kind: 'personal', sub: 'usr_ada' });
    expect((await granted(await at.kit().handle(post(bearer(token))))).auth.clientId).toBe(
      'usr_ada',
    );
  });

  it('MUST be refused once it is inactive, at the next request (RFC 7662 2.2)', async () => {
    const token = await at.local.testToken({ kind: 'opaque' });
    const kit = at.kit();
    await granted(await kit.handle(post(bearer(token))));
    at.local.revoke(token);
    const answer = await refused(await kit.handle(post(bearer(token))));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(answer.challenge).toContain('resource_metadata=');
  });

  const answers: [string, Record<string, unknown>, string][] = [
    ['that is inactive, with whatever else', { active: false }, 'not active'],
    ['for another audience', { aud: 'https://other.test/mcp' }, 'another audience'],
    ['for this audience and another', { aud: [resource, 'https://o.test'] }, 'another audience'],
    ['for no audience', { aud: undefined }, 'another audience'],
    ['of another issuer', { iss: 'https://evil.test' }, 'another issuer'],
    ['that is active but over', { exp: 1 }, 'has expired'],
    ['whose end is no number', { exp: 'never' }, 'malformed'],
    ['that is not valid yet', { nbf: 9_999_999_999 }, 'not valid yet'],
    ['without sub', { sub: undefined }, 'malformed'],
    ['whose scope is a list', { scope: ['read'] }, 'malformed'],
    ['that is a refresh token', { token_type: 'refresh_token' }, 'not an access token'],
    ['of type DPoP without a key', { token_type: 'DPoP' }, 'unknown way'],
    ['bound by a certificate', { cnf: { 'x5t#S256': 'x' } }, 'unknown way'],
  ];
  it.each(answers)('MUST be refused %s, whatever active says', async (_, claims, sentence) => {
    at.state.reply = () => active(claims);
    const token = await at.local.testToken({ kind: 'opaque' });
    const answer = await refused(await at.kit().handle(post(bearer(token))));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(answer.body.error_description).toContain(sentence);
  });

  it('MUST be refused where there is nobody to ask', async () => {
    const token = await at.local.testToken({ kind: 'opaque' });
    const kit = at.kit({ introspection: undefined });
    expect((await refused(await kit.handle(post(bearer(token))))).status).toBe(401);
    expect(at.asked).toEqual([]);
  });

  it.each([
    ['required', {}, 'only DPoP-bound'],
    ['off', { dpopThumbprint: 'x' }, 'does not accept DPoP-bound'],
    ['supported', { dpopThumbprint: 'x' }, 'send it as DPoP'],
  ] as const)('is held to the DPoP mode: %s', async (dpop, token, sentence) => {
    for (const kind of ['opaque', 'personal', 'credential'] as const) {
      const sent = await at.local.testToken({ kind, ...token });
      const answer = await refused(await at.kit({ dpop }).handle(post(bearer(sent))));
      expect(answer.body.error_description).toContain(sentence);
    }
  });

  it('bound to a key needs DPoP and a proof', async () => {
    const token = await at.local.testToken({ kind: 'opaque', dpopThumbprint: randomUUID() });
    const answer = await refused(await at.kit().handle(post(bearer(token))));
    expect(answer.body.error_description).toContain('DPoP-bound');
  });
});

describe('what cannot be a token of the authorization server', () => {
  it.each([
    ['text', 'hello'],
    ['a token of somebody else', `ghp_${'a'.repeat(36)}`],
    ['a token cut short', 'SHORT'],
    ['a token in another case', 'CASE'],
    ['a token with one letter changed', 'TYPO'],
    ['a credential with one letter changed', 'CREDENTIAL'],
    ['ten thousand letters', 'x'.repeat(10_000)],
    ['a token within dots', 'a.b'],
  ])('is refused without asking: %s', async (_, text) => {
    const token = await at.local.testToken({ kind: 'opaque' });
    const credential = await at.local.testToken({ kind: 'credential' });
    const typo = (one: string) =>
      one.endsWith('0') ? `${one.slice(0, -1)}1` : `${one.slice(0, -1)}0`;
    const sent =
      {
        SHORT: token.slice(0, -1),
        CASE: token.toUpperCase(),
        TYPO: typo(token),
        CREDENTIAL: typo(credential),
      }[text] ?? text;
    const answer = await refused(await at.kit().handle(post(bearer(sent))));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(at.asked).toEqual([]);
  });
});

describe('a JWT where introspection is configured', () => {
  it('is verified by its signature alone', async () => {
    const token = await at.local.testToken();
    at.local.revoke(token);
    await granted(await at.kit().handle(post(bearer(token))));
    expect(at.asked).toEqual([]);
  });

  it('is asked about too where the author wants that, so that a revoked one is refused at once', async () => {
    const introspection = { ...at.local.options.introspection, jwts: true };
    const kit = at.kit({ introspection });
    const token = await at.local.testToken();
    await granted(await kit.handle(post(bearer(token))));
    at.local.revoke(token);
    expect((await refused(await kit.handle(post(bearer(token))))).status).toBe(401);
  });

  it('with a wrong signature is not asked about', async () => {
    const introspection = { ...at.local.options.introspection, jwts: true };
    const token = await at.local.testToken();
    const other = await watchedIssuer();
    await refused(
      await at.kit({ introspection }).handle(post(bearer(await other.local.testToken()))),
    );
    await refused(
      await at.kit({ introspection }).handle(post(bearer(`${token.slice(0, -8)}AAAAAAAA`))),
    );
    expect(at.asked).toEqual([]);
  });
});

describe('a token', () => {
  it('that is kept MUST be asked about again cacheSeconds after the question, however long the answer took', async () => {
    const introspection = { ...at.local.options.introspection, cacheSeconds: 5 };
    const kit = at.kit({ introspection });
    const token = await at.local.testToken({ kind: 'opaque' });
    at.state.reply = () => {
      at.advance(4);
      return Response.json({ active: true, aud: resource, sub: 'u', exp: at.now().getTime() });
    };
    await granted(await kit.handle(post(bearer(token))));
    at.state.reply = undefined;
    at.local.revoke(token);
    at.advance(1);
    expect((await refused(await kit.handle(post(bearer(token))))).status).toBe(401);
  });
});
