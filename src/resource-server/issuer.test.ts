import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProtectMcpOptions, protectMcp } from './index.ts';
import { startTestIssuer, type TestIssuer } from './issuer.testing.ts';
import { bearer, granted, post, refused, resource } from './requests.testing.ts';

let issuer: TestIssuer;
let at: number;
let errors: unknown[];

beforeEach(async () => {
  issuer = await startTestIssuer();
  at = Date.now();
  errors = [];
});
afterEach(() => issuer.close());

const kit = (options: Partial<ProtectMcpOptions> = {}) =>
  protectMcp({
    issuer: issuer.issuer,
    resource,
    scopes: ['read'],
    clock: () => new Date(at),
    onError: (error) => errors.push(error),
    ...options,
  });

const asked = (path: string) => issuer.state.requests.filter((one) => one === path).length;

describe('the keys of the issuer', () => {
  it('are not fetched before the first token, then once for many', async () => {
    const auth = kit();
    await refused(await auth.handle(post({})));
    expect(issuer.state.requests).toEqual([]);
    const token = await issuer.mint(resource);
    await Promise.all(Array.from({ length: 20 }, () => auth.handle(post(bearer(token)))));
    expect(issuer.state.requests).toEqual(['/.well-known/oauth-authorization-server', '/jwks']);
  });

  it('are fetched again for a key that is unknown, so that a rotation needs no restart', async () => {
    const auth = kit({ jwks: { cooldown: 0 } });
    const old = await issuer.mint(resource);
    await granted(await auth.handle(post(bearer(old))));
    await issuer.rotate('EdDSA');
    await granted(await auth.handle(post(bearer(await issuer.mint(resource)))));
    await granted(await auth.handle(post(bearer(old))));
    expect(asked('/jwks')).toBe(2);
  });

  it('are not fetched again for every invented kid (cool-down)', async () => {
    const auth = kit();
    await granted(await auth.handle(post(bearer(await issuer.mint(resource)))));
    for (const kid of ['a', 'b', 'c']) {
      const token = await issuer.mint(resource, {}, { kid });
      expect((await refused(await auth.handle(post(bearer(token))))).status).toBe(401);
    }
    expect(asked('/jwks')).toBe(1);
  });

  it('are found for an issuer with a path (RFC 8414 3.1)', async () => {
    const tenant = await startTestIssuer('/tenant');
    try {
      const auth = kit({ issuer: tenant.issuer });
      await granted(await auth.handle(post(bearer(await tenant.mint(resource)))));
      expect(tenant.state.requests[0]).toBe('/.well-known/oauth-authorization-server/tenant');
    } finally {
      await tenant.close();
    }
  });

  it('of another issuer do not count', async () => {
    const other = await startTestIssuer();
    try {
      const token = await other.mint(resource, { iss: issuer.issuer });
      expect((await refused(await kit().handle(post(bearer(token))))).status).toBe(401);
    } finally {
      await other.close();
    }
  });
});

describe('when the issuer cannot be reached', () => {
  const expectClosed = async (auth: ReturnType<typeof kit>) => {
    const answer = await refused(await auth.handle(post(bearer(await issuer.mint(resource)))));
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(JSON.stringify(answer.body)).not.toContain(issuer.issuer);
  };

  it('nobody is let through, and the author hears why', async () => {
    issuer.state.status = 500;
    await expectClosed(kit());
    expect(String(errors[0])).toContain('answered 500');
  });

  it('nor when the connection fails', async () => {
    await expectClosed(kit({ fetch: () => Promise.reject(new TypeError('connect failed')) }));
  });

  it('it is left alone for five seconds, then asked again', async () => {
    const auth = kit();
    issuer.state.status = 500;
    for (let i = 0; i < 5; i++) await expectClosed(auth);
    expect(issuer.state.requests).toHaveLength(1);
    issuer.state.status = 200;
    await expectClosed(auth);
    at += 5_001;
    await granted(await auth.handle(post(bearer(await issuer.mint(resource)))));
  });

  it('known keys still verify, unknown ones wait', async () => {
    const auth = kit({ jwks: { cooldown: 0 } });
    const known = await issuer.mint(resource);
    await granted(await auth.handle(post(bearer(known))));
    issuer.state.status = 500;
    await issuer.rotate();
    await expectClosed(auth);
    await granted(await auth.handle(post(bearer(known))));
  });

  it('keys past their age do not count', async () => {
    const auth = kit({ jwks: { maxAge: 0 } });
    await granted(await auth.handle(post(bearer(await issuer.mint(resource)))));
    issuer.state.status = 500;
    await expectClosed(auth);
  });

  it.each([
    ['names another issuer (RFC 8414 3.3)', { issuer: 'https://evil.test' }],
    ['names an issuer that differs by a slash', { issuer: 'SLASH' }],
    ['has no jwks_uri', { jwks_uri: null }],
  ])('or when its metadata %s', async (_, metadata) => {
    const slash = 'issuer' in metadata && metadata.issuer === 'SLASH';
    issuer.state.metadata = slash ? { issuer: `${issuer.issuer}/` } : metadata;
    await expectClosed(kit());
  });

  it('or when it redirects elsewhere', async () => {
    const fetch = async () => Response.redirect('https://evil.test/metadata');
    await expectClosed(kit({ fetch }));
  });

  it('or when its key set is none', async () => {
    const fetch: typeof globalThis.fetch = async (url, init) =>
      String(url).endsWith('/jwks') ? new Response('<html>') : globalThis.fetch(url, init);
    await expectClosed(kit({ fetch }));
  });
});
