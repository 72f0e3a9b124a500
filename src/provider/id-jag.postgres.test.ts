import { randomUUID } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { basic } from './answers.testing.ts';
import { seconds } from './dpop.testing.ts';
import { idpKey } from './id-jag-idp.testing.ts';
import { type Replicas, startReplicas } from './replicas.testing.ts';
import { encode, rs1, webSecret } from './server.testing.ts';

const rounds = 200;
const lanes = 4;
const issuer = 'https://idp.test';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const key = await idpKey('idp-1');
let replicas: Replicas;
beforeAll(async () => {
  const dsn = await createTestDatabase('id_jag');
  replicas = await startReplicas(
    dsn,
    `
resources:
  - { slug: rs1, uri: "${rs1}", display_name: One, scopes: [{ name: "mcp:read", description: Read }] }
clients:
  - { client_id: XAA, client_secret: ${webSecret}, grant_types: ["${jwtBearer}"] }
users: []
trusted_issuers:
  - { issuer: "${issuer}", jwks: ${JSON.stringify({ keys: [key.jwk] })} }
`,
  );
});
afterAll(() => replicas?.stop());

interface Answer {
  status: number;
  error: string | undefined;
  sub: string | undefined;
}

function assertionFor(sub: string): Promise<string> {
  const who = { iss: issuer, sub, aud: replicas.issuer, client_id: 'XAA', resource: rs1 };
  const iat = seconds();
  return new SignJWT({ ...who, jti: randomUUID(), iat, exp: iat + 300 })
    .setProtectedHeader({ alg: 'ES256', kid: 'idp-1', typ: 'oauth-id-jag+jwt' })
    .sign(key.privateKey);
}

async function present(url: string, assertion: string): Promise<Answer> {
  const body = encode({ grant_type: jwtBearer, assertion });
  const headers = basic('XAA', webSecret);
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body, headers });
  const { access_token: token, error } = JSON.parse(await answer.text());
  const sub = typeof token === 'string' ? decodeJwt(token).sub : undefined;
  return { status: answer.status, error, sub };
}

/** One assertion to each replica, at the same moment. */
function both(one: string, other: string): Promise<[Answer, Answer]> {
  return Promise.all([present(replicas.urls[0], one), present(replicas.urls[1], other)]);
}

/** Runs the rounds in lanes. @returns what went wrong, in words */
async function race(round: () => Promise<string | undefined>): Promise<string[]> {
  const wrong: string[] = [];
  const lane = async () => {
    for (let n = 0; n < rounds / lanes; n += 1) {
      const problem = await round();
      if (problem) wrong.push(problem);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return wrong;
}

function told(answers: Answer[]): string {
  return answers.map(({ status, error, sub }) => `${status} ${error ?? sub}`).join(', ');
}

test('one assertion on two replicas at once MUST be accepted exactly once', async () => {
  const wrong = await race(async () => {
    const assertion = await assertionFor('U-1');
    const answers = await both(assertion, assertion);
    const [winner, loser] = answers.toSorted((a, b) => a.status - b.status);
    if (winner?.status !== 200 || loser?.error !== 'invalid_grant') return told(answers);
    const [again] = await both(assertion, assertion);
    return again.error === 'invalid_grant' ? undefined : `again: ${told([again])}`;
  });
  expect(wrong).toEqual([]);
});

test('two first assertions of one subject on two replicas at once MUST make one person', async () => {
  const wrong = await race(async () => {
    const subject = randomUUID();
    const answers = await both(await assertionFor(subject), await assertionFor(subject));
    const [one, other] = answers;
    const good = one.status === 200 && other.status === 200 && one.sub === other.sub;
    return good ? undefined : told(answers);
  });
  expect(wrong).toEqual([]);
});
