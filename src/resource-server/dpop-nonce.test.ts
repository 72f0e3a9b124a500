import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protectMcp } from './index.ts';
import { startTestIssuer, type TestIssuer, testDpopKey } from './issuer.testing.ts';
import { bearer, granted, post, refused, resource } from './requests.testing.ts';

let issuer: TestIssuer;
let key: Awaited<ReturnType<typeof testDpopKey>>;
let token: string;

beforeAll(async () => {
  issuer = await startTestIssuer();
  key = await testDpopKey();
  token = await issuer.mint(resource, { cnf: { jkt: key.thumbprint } });
});
afterAll(() => issuer.close());

const secret = 'a secret of thirty-two characters';
const kit = (clock = () => new Date(), change = {}) =>
  protectMcp({
    issuer: issuer.issuer,
    resource,
    scopes: ['read'],
    dpopNonce: { secret, lifetime: 100, ...change },
    clock,
  });
const later = (seconds: number) => () => new Date(Date.now() + seconds * 1000);

/** Sends a proof with a nonce, made at the time of the kit. */
async function send(protect: ReturnType<typeof kit>, nonce?: unknown, seconds = 0) {
  const iat = Math.floor(Date.now() / 1000) + seconds;
  const dpop = await key.proof(token, resource, { iat, ...(nonce === undefined ? {} : { nonce }) });
  return protect.handle(post({ authorization: `DPoP ${token}`, dpop }));
}

async function nonceOf(protect: ReturnType<typeof kit>, seconds = 0): Promise<string> {
  const answer = await refused(await send(protect, undefined, seconds));
  return answer.headers.get('dpop-nonce') ?? '';
}

describe('a DPoP nonce of this server (RFC 9449 9)', () => {
  it('MUST be asked for with 401 use_dpop_nonce and DPoP-Nonce, readable by pages of any origin', async () => {
    const answer = await refused(await send(kit()));
    expect(answer).toMatchObject({ status: 401, body: { error: 'use_dpop_nonce' } });
    expect(answer.challenge).toMatch(/^DPoP .*error="use_dpop_nonce"/);
    expect(answer.headers.get('dpop-nonce')).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(answer.headers.get('access-control-expose-headers')).toContain('DPoP-Nonce');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('is good afterwards, in every process with the secret, and the answer brings the one to use next', async () => {
    const nonce = await nonceOf(kit());
    const { headers } = await granted(await send(kit(), nonce));
    expect(headers['dpop-nonce']).toBe(await nonceOf(kit()));
  });

  it('is good for the lifetime at most, and for half of it at least', async () => {
    const clock = Math.ceil(Date.now() / 50_000) * 50 - Date.now() / 1000; // where a period begins
    const nonce = await nonceOf(kit(later(clock + 1)), clock + 1);
    await granted(await send(kit(later(clock + 99)), nonce, clock + 99));
    expect((await refused(await send(kit(later(clock + 101)), nonce, clock + 101))).status).toBe(
      401,
    );
  });

  it.each([
    ['of another secret', 'OTHER'],
    ['made up', 'x'],
    ['empty', ''],
    ['a list', ['x']],
  ])('MUST be refused %s', async (_, given) => {
    const other = await nonceOf(kit(undefined, { secret: `${secret}2` }));
    const answer = await refused(await send(kit(), given === 'OTHER' ? other : given));
    expect(answer.body.error).toBe('use_dpop_nonce');
  });

  it('is not asked of a Bearer token', async () => {
    const free = await issuer.mint(resource);
    const { headers } = await granted(await kit().handle(post(bearer(free))));
    expect(headers).not.toHaveProperty('dpop-nonce');
  });

  it('does not use up the proof that lacked it', async () => {
    const protect = kit();
    const dpop = await key.proof(token, resource);
    const request = () => post({ authorization: `DPoP ${token}`, dpop });
    for (const _ of [1, 2]) {
      expect((await refused(await protect.handle(request()))).body.error).toBe('use_dpop_nonce');
    }
  });
});
