import { describe, expect, it } from 'vitest';
import { protectMcp, testIssuer, testToken } from './index.ts';
import { testDpopKey } from './issuer.testing.ts';
import { bearer, granted, post, refused, resource, toolCall } from './requests.testing.ts';

const scopes = ['read', 'write'];
const toolScopes = { look: 'read', change: 'write' };

describe('testIssuer(), for the tests of MCP server authors', () => {
  it.each(['jwt', 'opaque', 'personal', 'credential'] as const)(
    'makes tokens that protectMcp takes, without network: %s',
    async (kind) => {
      const local = await testIssuer({ resource, scopes });
      const auth = protectMcp({ ...local.options, toolScopes });
      const token = await local.testToken({
        kind,
        scopes: ['read'],
        sub: 'usr_ada',
        workspaceId: 'w1',
      });
      const caller = await granted(await auth.handle(post(bearer(token), toolCall('look'))));
      expect(caller.auth.extra).toMatchObject({ sub: 'usr_ada', workspace_id: 'w1' });
      const answer = await refused(await auth.handle(post(bearer(token), toolCall('change'))));
      expect(answer.status).toBe(403);
    },
  );

  it('makes expired tokens, tokens for others, and ends tokens', async () => {
    const local = await testIssuer({ resource, scopes });
    const auth = protectMcp({ ...local.options, toolScopes });
    const status = async (token: string) =>
      (await refused(await auth.handle(post(bearer(token))))).status;
    for (const kind of ['jwt', 'opaque'] as const) {
      expect(await status(await local.testToken({ kind, expiresIn: -10 }))).toBe(401);
      expect(await status(await local.testToken({ kind, claims: { aud: 'https://o.test' } }))).toBe(
        401,
      );
    }
    expect(await status(await local.testToken({ kind: 'opaque', expiresIn: -1 }))).toBe(401);
    const token = await local.testToken({ kind: 'credential' });
    await granted(await auth.handle(post(bearer(token))));
    local.revoke(token);
    expect(await status(token)).toBe(401);
  });

  it.each(['jwt', 'opaque'] as const)(
    'makes DPoP-bound tokens, which need a proof: %s',
    async (kind) => {
      const local = await testIssuer({ resource, scopes });
      const auth = protectMcp(local.options);
      const key = await testDpopKey();
      const token = await local.testToken({ kind, dpopThumbprint: key.thumbprint });
      expect((await refused(await auth.handle(post(bearer(token))))).status).toBe(401);
      const authorization = `DPoP ${token}`;
      const dpop = await key.proof(token, resource);
      await granted(await auth.handle(post({ authorization, dpop })));
      const other = await (await testDpopKey()).proof(token, resource);
      expect((await refused(await auth.handle(post({ authorization, dpop: other })))).status).toBe(
        401,
      );
      const replayed = await refused(await auth.handle(post({ authorization, dpop })));
      expect(replayed.body.error).toBe('invalid_dpop_proof');
    },
  );

  it('makes servers that do not know each other, of the same name too', async () => {
    const [one, two] = [
      await testIssuer({ resource, scopes }),
      await testIssuer({ resource, scopes }),
    ];
    const auth = protectMcp(one.options);
    for (const kind of ['jwt', 'opaque'] as const) {
      const foreign = await two.testToken({ kind });
      expect((await refused(await auth.handle(post(bearer(foreign))))).status).toBe(401);
    }
  });

  it('goes by the clock that it is given, and the issuer may have a path', async () => {
    const clock = () => new Date('2030-01-01T00:00:00Z');
    const local = await testIssuer({ resource, scopes, clock, issuer: 'https://auth.test/tenant' });
    const auth = protectMcp({ ...local.options, clock });
    await granted(await auth.handle(post(bearer(await local.testToken()))));
    await granted(await auth.handle(post(bearer(await local.testToken({ kind: 'opaque' })))));
  });
});

describe('testToken()', () => {
  it('is one token with an issuer of its own', async () => {
    const { token, options } = await testToken({ resource, scopes, sub: 'usr_ada' });
    const { auth } = await granted(await protectMcp(options).handle(post(bearer(token))));
    expect(auth).toMatchObject({ scopes, extra: { sub: 'usr_ada' } });
  });
});
