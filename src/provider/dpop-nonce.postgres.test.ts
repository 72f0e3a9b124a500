import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { basic, granted, refused } from './answers.testing.ts';
import { createProver, type Prover } from './dpop.testing.ts';
import { type Replicas, startReplicas } from './replicas.testing.ts';
import { encode, rs1, webSecret } from './server.testing.ts';

/** RFC 9449 §8 behind a load balancer: two processes that ask for nonces. */

let replicas: Replicas;
let prover: Prover;
beforeAll(async () => {
  replicas = await startReplicas(
    await createTestDatabase('dpop_nonce'),
    `
dpop: { require_nonce: true }
resources:
  - { slug: rs1, uri: "${rs1}", dpop: required, scopes: [{ name: "mcp:read" }] }
clients:
  - { client_id: BOT, client_secret: ${webSecret}, grant_types: [client_credentials], dpop_bound_access_tokens: true }
`,
  );
  prover = await createProver();
});
afterAll(() => replicas?.stop());

/** A token request to one of the replicas; the proof names the token endpoint of the issuer. */
async function ask(replica: 0 | 1, proof: string) {
  return fetch(`${replicas.urls[replica]}/oauth/token`, {
    method: 'POST',
    body: encode({ grant_type: 'client_credentials', resource: rs1 }),
    headers: { ...basic('BOT', webSecret), DPoP: proof },
  });
}

const proof = (nonce?: string) =>
  prover.proof(`${replicas.issuer}/oauth/token`, { claims: nonce === undefined ? {} : { nonce } });

async function nonceOf(replica: 0 | 1): Promise<string> {
  const answer = await ask(replica, await proof());
  const nonce = answer.headers.get('dpop-nonce');
  await refused(answer, 400, 'use_dpop_nonce');
  if (nonce === null) throw new Error('no nonce was offered');
  return nonce;
}

test('a nonce that one replica handed out MUST be good at the other', async () => {
  const answer = await granted(await ask(1, await proof(await nonceOf(0))));
  expect(answer.token_type).toBe('DPoP');
  await granted(await ask(0, await proof(await nonceOf(1))));
});

test('a proof with a nonce that one replica has seen MUST be refused by the other (DP01)', async () => {
  const once = await proof(await nonceOf(0));
  await granted(await ask(0, once));
  await refused(await ask(1, once), 400, 'invalid_dpop_proof');
});

test('of one proof sent to both at once exactly one request wins', async () => {
  const nonce = await nonceOf(1);
  for (let round = 0; round < 50; round += 1) {
    const once = await proof(nonce);
    const answers = await Promise.all([ask(0, once), ask(1, once)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
  }
});
