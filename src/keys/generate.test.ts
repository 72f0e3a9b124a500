import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { generateSigningKey, parsePrivateJwk, publicJwk } from './generate.ts';
import { signingAlgorithms } from './policy.ts';

const publicMembers = {
  ES256: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
  EdDSA: ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
  PS256: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
  RS256: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
};

test.each(signingAlgorithms)(
  '%s: the public JWK MUST NOT have private members, and verifies',
  async (alg) => {
    const jwk = await generateSigningKey(alg);
    const published = publicJwk(jwk);
    expect(Object.keys(published).sort()).toEqual(publicMembers[alg]);
    expect(published).toMatchObject({ alg, use: 'sig', kid: expect.stringMatching(/^[\w-]{43}$/) });
    const token = await new SignJWT({})
      .setProtectedHeader({ alg, kid: jwk.kid })
      .sign(await importJWK(jwk));
    const jwks = createLocalJWKSet({ keys: [published] });
    await expect(jwtVerify(token, jwks, { algorithms: [alg] })).resolves.toBeDefined();
  },
);

test('a key survives being written and read; anything else is refused', async () => {
  const jwk = await generateSigningKey('ES256');
  expect(parsePrivateJwk(JSON.stringify(jwk))).toEqual(jwk);
  for (const bad of [
    '',
    '{}',
    JSON.stringify({ ...jwk, alg: 'none' }),
    JSON.stringify(publicJwk(jwk)),
  ])
    expect(() => parsePrivateJwk(bad)).toThrow();
});
