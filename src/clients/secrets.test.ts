import { describe, expect, it } from 'vitest';
import { hashId } from '../db/index.ts';
import { clientsConfig, publicKey } from './clients.testing.ts';
import { decidePreregistered } from './policy.ts';
import { clientDigest, newClientId, newSecret, verifySecret } from './secrets.ts';

describe('secrets', () => {
  it('are URL-safe, since some clients send them unencoded in Basic', () => {
    for (let count = 0; count < 50; count += 1) expect(newSecret('cs')).toMatch(/^cs_[\w-]{43}$/);
  });

  it('each of the accepted ones is good, and nothing else', () => {
    const client = { secretHashes: [hashId('new'), hashId('old')] };
    expect(verifySecret(client, 'new')).toBe(true);
    expect(verifySecret(client, 'old')).toBe(true);
    expect(verifySecret(client, 'other')).toBe(false);
    expect(verifySecret(client, hashId('new'))).toBe(false);
    expect(verifySecret(client, '')).toBe(false);
  });

  it('a client without a secret has none, not the empty one', () => {
    expect(verifySecret({ secretHashes: [] }, '')).toBe(false);
  });

  it('an id is never that of a person', () => {
    expect(newClientId()).toMatch(/^dcr_[\w-]{22}$/);
  });
});

describe('clientDigest', () => {
  const digest = (body: object) =>
    clientDigest(
      decidePreregistered({ redirect_uris: ['https://a.test/cb'], ...body }, clientsConfig())
        .metadata,
    );
  const jwks = { keys: [publicKey('EC', 'a'), publicKey('OKP', 'b')] };

  it('changes with name, keys and redirect hosts', () => {
    const all = [
      digest({}),
      digest({ client_name: 'A' }),
      digest({ client_name: 'B' }),
      digest({ redirect_uris: ['https://b.test/cb'] }),
      digest({ redirect_uris: ['https://a.test/cb', 'https://b.test/cb'] }),
      digest({ jwks }),
      digest({ jwks: { keys: jwks.keys.slice(0, 1) } }),
      digest({ jwks_uri: 'https://a.test/jwks' }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('does not change with path, order or loopback port', () => {
    expect(digest({ redirect_uris: ['https://a.test/other'] })).toBe(digest({}));
    expect(digest({ jwks: { keys: jwks.keys.toReversed() } })).toBe(digest({ jwks }));
    expect(digest({ redirect_uris: ['http://127.0.0.1:1/cb'] })).toBe(
      digest({ redirect_uris: ['http://127.0.0.1:2/cb'] }),
    );
  });
});
