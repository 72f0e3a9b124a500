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

  test('a token that the caller has for itself names it as who acts', async () => {
    const { access_token: own } = await machineToken(server, 'CUT', { scope: 's:read' });
    const { access_token: other } = await machineToken(server, 'CUT', { scope: 's:read' });
    const form = { actor_token: own, actor_token_type: accessToken };
    const answer = await exchanged(server, other, { by: 'CUT', form });
    expect(decodeJwt(answer.access_token).act).toEqual({ sub: 'CUT' });
  });

  test('a token of a user, got by impersonation, MUST NOT be named as the actor', async () => {
    const masking = { form: { resource: masked } };
    const { access_token: worn } = await exchanged(server, subject, masking);
    expect(decodeJwt(worn).act).toBeUndefined();
    await refused(await withActor(worn, 'TOOL'), 400, 'invalid_request');
  });

  test.each([
    [
      'of a user',
      async () => (await tokenOf(server, 'TOOL', { resource: src, scope: 's:read' })).access_token,
    ],
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
    const bind = await prover.headers(tokenUrl());
    const { access_token: actor } = await machineToken(server, 'MACHINE', {}, bind);
    const { access_token: own } = await machineToken(server, 'MACHINE');
    const form = { actor_token: actor, actor_token_type: accessToken };
    const by = 'MACHINE';
    await refused(await exchange(server, own, { by, form }), 400, 'invalid_dpop_proof');
    const headers = await prover.headers(tokenUrl());
    expect((await exchanged(server, own, { by, form, headers })).token_type).toBe('DPoP');
    const elsewhere = await (await createProver()).headers(tokenUrl());
    const { access_token: bound } = await machineToken(server, 'MACHINE', {}, elsewhere);
    await refused(await exchange(server, bound, { by, form, headers }), 400, 'invalid_request');
  });

  test('a proof that one client has shown is used up for every other one', async () => {
    const { token, prover } = await boundSubject();
    const headers = await prover.headers(tokenUrl());
    await exchanged(server, token, { by: 'TOOL', headers });
    await refused(
      await exchange(server, token, { by: 'TOOL2', headers }),
      400,
      'invalid_dpop_proof',
    );
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
