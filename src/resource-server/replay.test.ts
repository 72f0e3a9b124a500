import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProtectMcpOptions, protectMcp, type ReplayStore } from './index.ts';
import { startTestIssuer, type TestIssuer, testDpopKey } from './issuer.testing.ts';
import { replayMemory } from './replay.ts';
import { granted, post, refused, resource } from './requests.testing.ts';

let issuer: TestIssuer;
let key: Awaited<ReturnType<typeof testDpopKey>>;
let bound: string;

beforeAll(async () => {
  issuer = await startTestIssuer();
  key = await testDpopKey();
  bound = await issuer.mint(resource, { cnf: { jkt: key.thumbprint } });
});
afterAll(() => issuer.close());

const kit = (options: Partial<ProtectMcpOptions> = {}) =>
  protectMcp({ issuer: issuer.issuer, resource, scopes: ['read', 'docs'], ...options });

const withProof = (dpop: string, token = bound) => post({ authorization: `DPoP ${token}`, dpop });

describe('a proof used again (RFC 9449 11.1)', () => {
  it('MUST be refused', async () => {
    const auth = kit();
    const proof = await key.proof(bound, resource);
    await granted(await auth.handle(withProof(proof)));
    const answer = await refused(await auth.handle(withProof(proof)));
    expect(answer.body).toMatchObject({ error: 'invalid_dpop_proof' });
    expect(answer.body.error_description).toContain('used before');
  });

  it('is let through once among 50 at the same time', async () => {
    const auth = kit();
    const proof = await key.proof(bound, resource);
    const results = await Promise.all(
      Array.from({ length: 50 }, () => auth.handle(withProof(proof))),
    );
    expect(results.filter((result) => !(result instanceof Response))).toHaveLength(1);
  });

  it('stays refused to the end of its window, even when its iat lies ahead', async () => {
    let at = Date.now();
    const auth = kit({ clock: () => new Date(at) });
    const proof = await key.proof(bound, resource, { iat: Math.floor(at / 1000) + 59 });
    await granted(await auth.handle(withProof(proof)));
    at += 118_000;
    expect((await refused(await auth.handle(withProof(proof)))).body.error_description).toContain(
      'used before',
    );
  });

  it('does not burn the same jti of another key', async () => {
    const auth = kit();
    const other = await testDpopKey();
    const token = await issuer.mint(resource, { cnf: { jkt: other.thumbprint } });
    const claims = { jti: 'same' };
    await granted(await auth.handle(withProof(await other.proof(token, resource, claims), token)));
    await granted(await auth.handle(withProof(await key.proof(bound, resource, claims))));
  });

  it('is not remembered when something else is wrong with it', async () => {
    const auth = kit();
    const claims = { jti: 'again' };
    const wrong = await key.proof(bound, resource, { ...claims, htm: 'GET' });
    await refused(await auth.handle(withProof(wrong)));
    await granted(await auth.handle(withProof(await key.proof(bound, resource, claims))));
  });

  it('is remembered in the store that the author shares between replicas', async () => {
    const claimed = new Set<string>();
    const replay: ReplayStore = {
      claim: async (name) => claimed.size < claimed.add(name).size,
    };
    const proof = await key.proof(bound, resource);
    await granted(await kit({ replay }).handle(withProof(proof)));
    await refused(await kit({ replay }).handle(withProof(proof)));
  });

  it('closes with 503 when the memory is full, instead of forgetting', async () => {
    const replay = replayMemory(() => new Date(), 60, 1);
    const auth = kit({ replay });
    await granted(await auth.handle(withProof(await key.proof(bound, resource))));
    const answer = await refused(await auth.handle(withProof(await key.proof(bound, resource))));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
  });

  it('leaves the memory when its time is over', async () => {
    let at = 0;
    const replay = replayMemory(() => new Date(at), 60, 1);
    expect(replay.claim('a', 0)).toBe(true);
    at = 61_000;
    expect(replay.claim('b', 0)).toBe(true);
  });
});
