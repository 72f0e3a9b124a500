import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Watched, watchedIssuer } from './introspection.testing.ts';
import { bearer, granted, post, refused, resource } from './requests.testing.ts';

let at: Watched;

beforeEach(async () => {
  at = await watchedIssuer();
});

const told = (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : '');

describe('how the kit shows who it is', () => {
  it('by Basic with both parts form-encoded (RFC 6749 2.3.1)', async () => {
    const introspection = { clientId: 'böards:1', clientSecret: 'a b+c%d:é' };
    await at
      .kit({ introspection })
      .handle(post(bearer(await at.local.testToken({ kind: 'opaque' }))));
    const [scheme, value = ''] = at.asked[0]?.headers.get('authorization')?.split(' ') ?? [];
    expect(scheme).toBe('Basic');
    expect(atob(value)).toBe('b%C3%B6ards%3A1:a+b%2Bc%25d%3A%C3%A9');
    expect([...(at.asked[0]?.form.keys() ?? [])]).toEqual(['token']);
    expect(at.asked[0]?.redirect).toBe('manual'); // credentials go to the issuer alone
  });

  it('by an assertion of its key: aud the issuer, a new jti each time, a minute long (RFC 7523 3)', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'k1' };
    const kit = at.kit({ introspection: { clientId: 'boards', privateKey: jwk } });
    for (const _ of [1, 2]) {
      await kit.handle(post(bearer(await at.local.testToken({ kind: 'opaque' }))));
    }
    const [first, second] = await Promise.all(
      at.asked.map(({ form }) =>
        jwtVerify(form.get('client_assertion') ?? '', publicKey, { currentDate: at.now() }),
      ),
    );
    expect(first?.payload).toMatchObject({
      iss: 'boards',
      sub: 'boards',
      aud: 'https://auth.test',
    });
    expect(first?.protectedHeader).toEqual({ alg: 'ES256', kid: 'k1' });
    expect((first?.payload.exp ?? 0) - (first?.payload.iat ?? 0)).toBe(60);
    expect(first?.payload.jti).not.toBe(second?.payload.jti);
    expect(at.asked[0]?.headers.get('authorization')).toBeNull();
    expect(at.asked[0]?.form.get('client_assertion_type')).toBe(
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    );
  });
});

describe('no answer about a token', () => {
  const replies: [string, () => Response | Promise<Response>][] = [
    ['a failure', () => new Response('<h1>oops</h1>', { status: 500 })],
    ['too many requests', () => Response.json({ error: 'slow_down' }, { status: 429 })],
    [
      'a redirect',
      () => new Response(null, { status: 302, headers: { location: 'https://e.test' } }),
    ],
    ['text', () => new Response('active')],
    ['a list', () => Response.json([{ active: true }])],
    ['active as text', () => Response.json({ active: 'true', aud: resource, sub: 'u' })],
    ['no body', () => new Response(null, { status: 204 })],
    ['a network failure', () => Promise.reject(new TypeError('fetch failed'))],
    ['an endless answer', () => new Response('x'.repeat(70_000))],
  ];
  it.each(replies)('MUST fail closed with 503 and Retry-After: %s', async (_, reply) => {
    at.state.reply = reply;
    const token = await at.local.testToken({ kind: 'opaque' });
    const answer = await refused(await at.kit().handle(post(bearer(token))));
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(at.errors).toHaveLength(1);
    expect(told(at.errors[0])).not.toContain(token);
  });

  it('within the time limit is 503', async () => {
    at.state.reply = () => new Promise(() => {});
    const hanging: typeof fetch = (input, init) =>
      String(input).endsWith('/introspect')
        ? new Promise((_, reject) => {
            init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
          })
        : (at.local.options.fetch ?? fetch)(input, init);
    const introspection = { ...at.local.options.introspection, timeoutSeconds: 0.05 };
    const token = await at.local.testToken({ kind: 'opaque' });
    const kit = at.kit({ introspection, fetch: hanging });
    expect((await refused(await kit.handle(post(bearer(token))))).status).toBe(503);
  });

  it('leaves the issuer alone for a second, and then goes on', async () => {
    at.state.reply = () => new Response(null, { status: 500 });
    const kit = at.kit();
    const call = async () => kit.handle(post(bearer(await at.local.testToken({ kind: 'opaque' }))));
    await refused(await call());
    expect((await refused(await call())).status).toBe(503);
    expect(at.asked).toHaveLength(1);
    at.state.reply = undefined;
    at.advance(1);
    await granted(await call());
  });

  it('for our own wrong credentials is 503 to the client, and tells the author what to check', async () => {
    at.state.reply = () =>
      Response.json({ error: 'invalid_client', error_description: 'Unknown' }, { status: 401 });
    const kit = at.kit();
    const token = await at.local.testToken({ kind: 'opaque' });
    const answer = await refused(await kit.handle(post(bearer(token))));
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(told(at.errors[0])).toBe(
      'CredentialsRefused: https://auth.test/oauth/introspect answered 401 invalid_client Unknown: it does not take the client test-resource-server. Check introspection.clientId and its clientSecret or privateKey, and that the client exists there and is no public one',
    );
    expect(told(at.errors[0])).not.toContain(at.local.options.introspection.clientSecret);
    at.advance(9);
    await refused(await kit.handle(post(bearer(token))));
    expect(at.asked).toHaveLength(1); // guessing on would lock us out there
  });

  it('where the issuer names no endpoint, or one over http, is 503 and sends nothing', async () => {
    for (const endpoint of [undefined, 'http://auth.test/introspect', 'ftp://x']) {
      const urls: string[] = [];
      const lying: typeof fetch = async (input) => {
        urls.push(String(input));
        return Response.json({
          issuer: 'https://auth.test',
          jwks_uri: 'https://auth.test/jwks',
          introspection_endpoint: endpoint,
        });
      };
      const token = await at.local.testToken({ kind: 'opaque' });
      const answer = await refused(await at.kit({ fetch: lying }).handle(post(bearer(token))));
      expect(answer.status).toBe(503);
      expect(urls).toEqual(['https://auth.test/.well-known/oauth-authorization-server']);
    }
  });
});

describe('how often it is asked', () => {
  const call = async (kit: ReturnType<Watched['kit']>, token: string) =>
    kit.handle(post(bearer(token)));
  const kept = (cacheSeconds: number) =>
    at.kit({ introspection: { ...at.local.options.introspection, cacheSeconds } });

  it('is once per request by default', async () => {
    const kit = at.kit();
    const token = await at.local.testToken({ kind: 'opaque' });
    for (const _ of [1, 2, 3]) await granted(await call(kit, token));
    expect(at.asked).toHaveLength(3);
  });

  it('is once per cacheSeconds, and no longer', async () => {
    const kit = kept(5);
    const token = await at.local.testToken({ kind: 'personal' });
    await granted(await call(kit, token));
    at.advance(4.9);
    await granted(await call(kit, token));
    expect(at.asked).toHaveLength(1);
    at.local.revoke(token);
    at.advance(0.1);
    expect((await refused(await call(kit, token))).status).toBe(401);
  });

  it('MUST be every time for workspace credentials, whatever is kept (contract 9)', async () => {
    const kit = kept(5);
    const token = await at.local.testToken({ kind: 'credential' });
    await granted(await call(kit, token));
    at.local.revoke(token);
    expect((await refused(await call(kit, token))).status).toBe(401);
  });

  it('MUST NOT keep a token beyond its end (RFC 7662 4)', async () => {
    const kit = kept(5);
    const token = await at.local.testToken({ kind: 'opaque', expiresIn: -3 });
    at.state.reply = () =>
      Response.json({ active: true, aud: resource, sub: 'u', exp: at.now().getTime() / 1000 - 3 });
    await granted(await call(kit, token)); // within the skew of 5 s
    at.advance(2.5);
    const answer = await refused(await call(kit, token));
    expect(answer.body.error_description).toContain('has expired');
    expect(at.asked).toHaveLength(1);
  });

  it('keeps kits apart: there is no state of the module', async () => {
    const token = await at.local.testToken({ kind: 'opaque' });
    await granted(await call(kept(5), token));
    await granted(await call(kept(5), token));
    expect(at.asked).toHaveLength(2);
  });

  it('is once for the same token in many requests at one time', async () => {
    const token = await at.local.testToken({ kind: 'opaque' });
    const kit = at.kit();
    const { promise, resolve } = Promise.withResolvers<void>();
    at.state.reply = async () => {
      await promise;
      return Response.json({ active: true, aud: resource, sub: 'u' });
    };
    const calls = Array.from({ length: 50 }, () => call(kit, token));
    setTimeout(resolve, 500); // by then all of them wait
    for (const one of await Promise.all(calls)) await granted(one);
    expect(at.asked).toHaveLength(1);
  });

  it('asks anew for a request that came while an answer was long in coming: it could be older than a revocation', async () => {
    const token = await at.local.testToken({ kind: 'opaque' });
    const kit = at.kit();
    const { promise, resolve } = Promise.withResolvers<void>();
    at.state.reply = async () => {
      await promise;
      return Response.json({ active: true, aud: resource, sub: 'u' });
    };
    const early = call(kit, token);
    await new Promise((done) => setTimeout(done, 20));
    at.advance(0.3);
    const late = call(kit, token);
    setTimeout(resolve, 20);
    await Promise.all([early, late]);
    expect(at.asked).toHaveLength(2);
  });

  it('names what it keeps by a hash, never by the token', async () => {
    const token = await at.local.testToken({ kind: 'opaque' });
    const keys: unknown[] = [];
    const set = Map.prototype.set;
    Map.prototype.set = function (this: Map<unknown, unknown>, key: unknown, value: unknown) {
      keys.push(key);
      return set.call(this, key, value);
    };
    try {
      await granted(await call(kept(5), token));
    } finally {
      Map.prototype.set = set;
    }
    expect(keys).toContain(createHash('sha256').update(token).digest('base64url'));
    expect(keys).not.toContain(token);
  });
});
