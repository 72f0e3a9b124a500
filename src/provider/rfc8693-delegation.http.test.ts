import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { granted, refused } from './answers.testing.ts';
import { createProver, type Prover } from './dpop.testing.ts';
import { code, good, redeem } from './flow.testing.ts';
import type { TestServer } from './server.testing.ts';
import {
  as,
  bound,
  exchange,
  exchanged,
  introspect,
  machineToken,
  masked,
  opaque,
  partner,
  src,
  startExchange,
  subjectToken,
  tokenOf,
} from './token-exchange.testing.ts';

/** RFC 8693 §1.1 and §4.1: who acts for whom; and what binds a token to a key (RFC 9449). */

const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
let server: TestServer;
let subject: string;
beforeAll(async () => {
  server = await startExchange();
  subject = (await subjectToken(server)).access_token;
});
afterAll(() => server.close());

/** Exchanges a token from client to client; each is the next one's subject. */
async function chain(...clients: string[]): Promise<string> {
  let token = subject;
  for (const by of clients) token = (await exchanged(server, token, { by })).access_token;
  return token;
}

describe('act', () => {
  test('names the current actor outside of those before it (§4.1)', async () => {
    const token = await chain('TOOL', 'TOOL2', 'TOOL3');
    const act = { sub: 'TOOL3', act: { sub: 'TOOL2', act: { sub: 'TOOL' } } };
    expect(decodeJwt(token)).toMatchObject({ act, client_id: 'TOOL3' });
    expect(await introspect(server, token)).toMatchObject({ active: true, act });
  });

  test('goes on at another resource, also through opaque tokens', async () => {
    const first = await exchanged(server, subject, { form: { resource: opaque } });
    const token = await exchanged(server, first.access_token, { form: { resource: partner } });
    const act = { sub: 'TOOL', act: { sub: 'TOOL' } };
    expect(decodeJwt(token.access_token).act).toEqual(act);
  });

  test.each([
    ['three actors are enough', ['TOOL', 'TOOL2', 'TOOL3'], 'TOOL3'],
    ['one actor, ten times', ['TOOL', 'TOOL', 'TOOL'], 'TOOL'],
    ['a token that comes back', ['TOOL', 'TOOL2'], 'TOOL'],
  ])('%s: the next exchange MUST be refused (TX06)', async (_what, clients, by) => {
    const token = await chain(...clients);
    await refused(await exchange(server, token, { by }), 400, 'invalid_request');
    await refused(
      await exchange(server, token, { by, form: { resource: masked } }),
      400,
      'invalid_request',
    );
  });

  test('token_exchange.max_chain_depth decides how many', async () => {
    const strict = await startExchange({ extra: 'token_exchange: { max_chain_depth: 1 }' });
    try {
      const { access_token: token } = await subjectToken(strict);
      const child = await exchanged(strict, token);
      const again = await exchange(strict, child.access_token, { by: 'TOOL2' });
      const { error_description: why } = await refused(again, 400, 'invalid_request');
      expect(why).toMatch(/1 actors/);
    } finally {
      await strict.close();
    }
  });

  test('the client cannot write it', async () => {
    const forged = JSON.stringify({ sub: 'somebody' });
    const answer = await exchanged(server, subject, { form: { act: forged, may_act: forged } });
    expect(decodeJwt(answer.access_token).act).toEqual({ sub: 'TOOL' });
  });
});

describe('actor_token (§2.1)', () => {
  const withActor = (actor: string, by: string) =>
    exchange(server, subject, {
      by,
      form: { actor_token: actor, actor_token_type: accessToken },
    });

  test('a token that was issued to the caller names who acts', async () => {
    const own = await tokenOf(server, 'TOOL', { resource: src, scope: 's:read' });
    const answer = await granted(await withActor(own.access_token, 'TOOL'));
    const { sub } = decodeJwt(own.access_token);
    expect(decodeJwt(answer.access_token).act).toEqual({ sub });
  });

  test.each([
    ['of another client', async () => (await machineToken(server, 'MACHINE')).access_token],
    ['that is the subject', async () => subject],
    ['that is delegated itself', async () => chain('TOOL')],
    ['that is a refresh token', async () => (await subjectToken(server)).refresh_token],
    ['that is garbage', async () => 'garbage'],
  ])('a token %s MUST be invalid_request', async (_what, token) => {
    await refused(await withActor(await token(), 'TOOL'), 400, 'invalid_request');
  });
});

describe('impersonation (§1.1)', () => {
  const toMasked = { form: { resource: masked } };

  test('only a client that the target lists gets a token without act', async () => {
    const listed = await exchanged(server, subject, toMasked);
    expect(decodeJwt(listed.access_token)).toMatchObject({ client_id: 'TOOL', aud: masked });
    expect(decodeJwt(listed.access_token).act).toBeUndefined();
    const other = await exchanged(server, subject, { by: 'TOOL2', ...toMasked });
    expect(decodeJwt(other.access_token).act).toEqual({ sub: 'TOOL2' });
  });

  test('it never makes actors forgotten', async () => {
    const token = await exchanged(server, await chain('TOOL2'), toMasked);
    expect(decodeJwt(token.access_token).act).toEqual({ sub: 'TOOL', act: { sub: 'TOOL2' } });
  });
});

describe('a key that the subject is bound to (RFC 9449, threat T13)', () => {
  const tokenUrl = () => `${server.url}/oauth/token`;

  async function boundSubject(): Promise<{ token: string; prover: Prover }> {
    const prover = await createProver();
    const flow = good({ resource: src, scope: 's:write' });
    const value = await code(server, flow);
    const headers = await prover.headers(tokenUrl());
    const answer = await granted(await redeem(server, flow, value, {}, headers));
    expect(answer.token_type).toBe('DPoP');
    return { token: answer.access_token, prover };
  }

  test('MUST be proven, and stays in the new token', async () => {
    const { token, prover } = await boundSubject();
    for (const resource of [src, partner, opaque]) {
      const headers = await prover.headers(tokenUrl());
      const answer = await exchanged(server, token, { headers, form: { resource } });
      expect(answer.token_type).toBe('DPoP');
      const by = resource === partner ? 'PARTNER' : 'TOOL';
      const seen = await introspect(server, answer.access_token, by);
      expect(seen).toMatchObject({ token_type: 'DPoP', cnf: { jkt: prover.jkt } });
    }
  });

  test('without a proof, by another key, or with a used proof there is no token (TX03)', async () => {
    const { token, prover } = await boundSubject();
    await refused(await exchange(server, token), 400, 'invalid_dpop_proof');
    const thief = await (await createProver()).headers(tokenUrl());
    await refused(await exchange(server, token, { headers: thief }), 400, 'invalid_dpop_proof');
    const headers = await prover.headers(tokenUrl());
    await exchanged(server, token, { headers });
    await refused(await exchange(server, token, { headers }), 400, 'invalid_dpop_proof');
  });

  test('an actor that is bound must be proven too', async () => {
    const prover = await createProver();
    const own = { resource: src, scope: 's:read' };
    const actor = await tokenOf(server, 'TOOL', own, await prover.headers(tokenUrl()));
    const form = { actor_token: actor.access_token, actor_token_type: accessToken };
    await refused(await exchange(server, subject, { form }), 400, 'invalid_dpop_proof');
    const headers = await prover.headers(tokenUrl());
    expect((await exchanged(server, subject, { form, headers })).token_type).toBe('DPoP');
    const { token } = await boundSubject();
    await refused(await exchange(server, token, { form, headers }), 400, 'invalid_request');
  });

  test('a Bearer subject may be bound from here on', async () => {
    const prover = await createProver();
    const headers = await prover.headers(tokenUrl());
    const answer = await exchanged(server, subject, { headers });
    expect(decodeJwt(answer.access_token).cnf).toEqual({ jkt: prover.jkt });
  });

  test('a target with dpop: required MUST have a proof', async () => {
    const form = { resource: bound };
    await refused(await exchange(server, subject, { form }), 400, 'invalid_dpop_proof');
    const prover = await createProver();
    const headers = await prover.headers(tokenUrl());
    const answer = await exchanged(server, subject, { form, headers });
    expect(decodeJwt(answer.access_token).cnf).toEqual({ jkt: prover.jkt });
  });
});

describe('lifetime', () => {
  test('MUST NOT be longer than what is left of the subject, nor than the target allows', async () => {
    const other = await startExchange();
    try {
      const { access_token: token } = await subjectToken(other);
      const early = await exchanged(other, token, { form: { resource: partner } });
      expect(early.expires_in).toBe(600);
      other.advance(14 * 60);
      const late = await exchanged(other, token, { form: { resource: partner } });
      expect(late.expires_in).toBeGreaterThan(0);
      expect(late.expires_in).toBeLessThanOrEqual(60);
      const deeper = await exchanged(other, token, { by: 'TOOL2' });
      expect(deeper.expires_in).toBeLessThanOrEqual(60);
      other.advance(61);
      const seen = await other.post(
        '/oauth/introspect',
        { token: late.access_token },
        as('PARTNER'),
      );
      expect(await seen.text()).toBe('{"active":false}');
    } finally {
      await other.close();
    }
  });
});
