import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { type Browser, createBrowser, readForm } from './browser.testing.ts';
import { createProver } from './dpop.testing.ts';
import { good, type Tokens } from './flow.testing.ts';
import { type Replicas, startReplicas } from './replicas.testing.ts';
import { alice, encode, loopbackCallback, rs1, webCallback } from './server.testing.ts';

/** Each race is run this often, in lanes that go on side by side. */
const rounds = 1000;
const lanes = 8;

const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
let replicas: Replicas;
beforeAll(async () => {
  const jwks = JSON.stringify({ keys: [await exportJWK(publicKey)] });
  const dsn = await createTestDatabase('races');
  replicas = await startReplicas(
    dsn,
    `
resources:
  - { slug: rs1, uri: "${rs1}", display_name: One, scopes: [{ name: "mcp:read", description: Read }] }
clients:
  - { client_id: PUB, application_type: native, redirect_uris: ["${loopbackCallback}"] }
  - { client_id: JWT, token_endpoint_auth_method: private_key_jwt, redirect_uris: ["${webCallback}"], jwks: ${jwks} }
users:
  - { email: ${alice.email}, password: "${alice.password}" }
`,
  );
});
afterAll(() => replicas?.stop());

interface Answer {
  status: number;
  body: Partial<Tokens> & { error?: string };
}

interface Request {
  form: Record<string, string>;
  headers?: Record<string, string>;
}

async function post(url: string, { form, headers = {} }: Request): Promise<Answer> {
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body: encode(form), headers });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

/** Sends one request to each replica, at the same moment. */
function both(one: Request, other: Request): Promise<[Answer, Answer]> {
  return Promise.all([post(replicas.urls[0], one), post(replicas.urls[1], other)]);
}

function refreshOf(refresh_token: string | undefined, client_id = 'PUB'): Request {
  return { form: { grant_type: 'refresh_token', refresh_token: refresh_token ?? '', client_id } };
}

/** A person who is signed in and has approved the client: codes come without questions from now on. */
async function signIn(params: Record<string, string> = {}): Promise<Browser> {
  const browser = createBrowser(replicas.issuer);
  let page = await browser.open(authorizeUrl(good(params).params));
  while (page.html.includes('<form')) {
    const { action, fields } = readForm(page.html);
    fields.push(['username', alice.email], ['password', alice.password], ['decision', 'approve']);
    page = await browser.submit(action, fields);
  }
  return browser;
}

function authorizeUrl(params: Record<string, string | string[]>): string {
  return `${replicas.issuer}/oauth/authorize?${encode(params)}`;
}

/** The request that redeems a fresh code. */
async function codeRequest(browser: Browser, params: Record<string, string> = {}) {
  const flow = good(params);
  const { url } = await browser.open(authorizeUrl(flow.params));
  const code = new URL(url).searchParams.get('code');
  if (!code) throw new Error(`no code: ${url}`);
  const { client_id, redirect_uri } = flow.params;
  const form = { grant_type: 'authorization_code', code, code_verifier: flow.verifier };
  return {
    form: { ...form, client_id: String(client_id), redirect_uri: String(redirect_uri) },
  };
}

/** Runs the rounds in lanes. @returns what went wrong, in words */
async function race(start: () => Promise<() => Promise<string | undefined>>): Promise<string[]> {
  const wrong: string[] = [];
  const lane = async () => {
    const round = await start();
    for (let n = 0; n < rounds / lanes; n += 1) {
      const problem = await round();
      if (problem) wrong.push(problem);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return wrong;
}

function told(answers: Answer[]): string {
  return answers.map(({ status, body }) => `${status} ${body.error ?? 'token'}`).join(', ');
}

test('one code on two replicas at once MUST buy tokens exactly once, and they live', async () => {
  const wrong = await race(async () => {
    const browser = await signIn();
    return async () => {
      const request = await codeRequest(browser);
      const answers = await both(request, request);
      const [winner, loser] = answers.toSorted((a, b) => a.status - b.status);
      if (winner?.status !== 200 || loser?.body.error !== 'invalid_grant') return told(answers);
      const next = await post(replicas.urls[1], refreshOf(winner.body.refresh_token));
      return next.status === 200 ? undefined : `lost family: ${told([next])}`;
    };
  });
  expect(wrong).toEqual([]);
});

test('one refresh token on two replicas at once MUST give both the same successor, which works', async () => {
  const wrong = await race(async () => {
    let { body } = await post(replicas.urls[0], await codeRequest(await signIn()));
    return async () => {
      const request = refreshOf(body.refresh_token);
      const [one, other] = await both(request, request);
      const same = one.body.refresh_token === other.body.refresh_token;
      if (one.status !== 200 || other.status !== 200 || !same) return told([one, other]);
      if (one.body.refresh_token === body.refresh_token) return 'not rotated';
      body = one.body;
      return undefined;
    };
  });
  expect(wrong).toEqual([]);
});

interface Evidence {
  form?: Record<string, string>;
  headers?: Record<string, string>;
}

/** Two families, one piece of evidence for both: the loser's token is not used up, the winner's lives. */
async function evidenceRace(
  params: Record<string, string>,
  error: string,
  evidence: () => Promise<() => Promise<Evidence>>,
) {
  const withEvidence = ({ form }: Request, { form: more, headers }: Evidence): Request => ({
    form: { ...form, ...more },
    headers,
  });
  return race(async () => {
    const [browser, prove] = [await signIn(params), await evidence()];
    const family = async () =>
      post(replicas.urls[0], withEvidence(await codeRequest(browser, params), await prove()));
    let held = [await family(), await family()];
    return async () => {
      const shared = await prove();
      const [one, other] = held.map(({ body }) =>
        withEvidence(refreshOf(body.refresh_token, params.client_id), shared),
      );
      if (!one || !other) return 'no families';
      const answers = await both(one, other);
      const losers = answers.filter((answer) => answer.status !== 200);
      held = held.map((before, index) =>
        answers[index]?.status === 200 ? answers[index] : before,
      );
      if (losers.length !== 1 || losers[0]?.body.error !== error) return told(answers);
      return undefined;
    };
  });
}

test('one DPoP proof on two replicas at once MUST be accepted exactly once', async () => {
  const wrong = await evidenceRace({}, 'invalid_dpop_proof', async () => {
    const prover = await createProver();
    return async () => ({ headers: await prover.headers(`${replicas.issuer}/oauth/token`) });
  });
  expect(wrong).toEqual([]);
});

test('one client assertion on two replicas at once MUST be accepted exactly once', async () => {
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const params = { client_id: 'JWT', redirect_uri: webCallback };
  const wrong = await evidenceRace(params, 'invalid_client', async () => async () => {
    const claims = { iss: 'JWT', sub: 'JWT', aud: replicas.issuer, jti: randomUUID() };
    const client_assertion = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime('60s')
      .sign(privateKey);
    return { form: { client_assertion_type, client_assertion } };
  });
  expect(wrong).toEqual([]);
});
