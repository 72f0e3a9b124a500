import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { basic } from './answers.testing.ts';
import { createBrowser, readForm } from './browser.testing.ts';
import { good } from './flow.testing.ts';
import { type Replicas, startReplicas } from './replicas.testing.ts';
import { alice, encode, loopbackCallback, webSecret } from './server.testing.ts';

/** What one replica revokes is over on the other one too: for all that was exchanged from it, at once. */

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const src = 'https://src.test/mcp';
const opaque = 'https://opaque.test/mcp';
const client = `client_secret: ${webSecret}, grant_types: ["${grantType}"]`;
const answer = z.object({ access_token: z.string(), refresh_token: z.string().optional() });

let replicas: Replicas;
beforeAll(async () => {
  replicas = await startReplicas(
    await createTestDatabase('lineage'),
    `
resources:
  - { slug: src, uri: "${src}", clients: [TOOL, TOOL2], scopes: [{ name: "s:read" }] }
  - { slug: opaque, uri: "${opaque}", clients: [TOOL, TOOL2], token_format: opaque, scopes: [{ name: "o:use" }], exchange: { clients: [TOOL2], consent: operator } }
clients:
  - { client_id: PUB, application_type: native, redirect_uris: ["${loopbackCallback}"] }
  - { client_id: TOOL, ${client} }
  - { client_id: TOOL2, ${client} }
users:
  - { email: ${alice.email}, password: "${alice.password}" }
`,
  );
});
afterAll(() => replicas?.stop());

type Replica = 0 | 1;

function post(on: Replica, path: string, form: Record<string, string>, client?: string) {
  const headers = client === undefined ? {} : basic(client, webSecret);
  return fetch(`${replicas.urls[on]}${path}`, { method: 'POST', body: encode(form), headers });
}

async function signedIn() {
  const browser = createBrowser(replicas.issuer);
  const flow = good({ resource: src, scope: 's:read' });
  let page = await browser.open(`${replicas.issuer}/oauth/authorize?${encode(flow.params)}`);
  while (page.html.includes('<form')) {
    const { action, fields } = readForm(page.html);
    fields.push(['username', alice.email], ['password', alice.password], ['decision', 'approve']);
    page = await browser.submit(action, fields);
  }
  const form = {
    grant_type: 'authorization_code',
    code: new URL(page.url).searchParams.get('code') ?? '',
    client_id: 'PUB',
    redirect_uri: loopbackCallback,
    code_verifier: flow.verifier,
  };
  return answer.parse(await (await post(0, '/oauth/token', form)).json());
}

async function exchanged(on: Replica, subject: string, by: string, resource = src) {
  const types = { grant_type: grantType, subject_token_type: accessToken };
  const got = await post(on, '/oauth/token', { ...types, subject_token: subject, resource }, by);
  return answer.parse(await got.json()).access_token;
}

/** The subject and what was exchanged from it, each on another replica. */
async function generations(subject: string) {
  const child = await exchanged(1, subject, 'TOOL');
  const grandchild = await exchanged(0, child, 'TOOL2', opaque);
  return [subject, child, grandchild];
}

/** Which of the tokens are active, on both replicas. */
async function living(tokens: string[]): Promise<boolean[]> {
  const ask = async (on: Replica, token: string) => {
    const told = await post(on, '/oauth/introspect', { token }, 'TOOL');
    return z.object({ active: z.boolean() }).parse(await told.json()).active;
  };
  return Promise.all(tokens.flatMap((token) => [ask(0, token), ask(1, token)]));
}

const all = (active: boolean) => Array.from({ length: 6 }, () => active);

test('a subject that one replica revokes MUST end its descendants on both within a second', async () => {
  const { access_token: subject } = await signedIn();
  const tokens = await generations(subject);
  expect(await living(tokens)).toEqual(all(true));
  await post(1, '/oauth/revoke', { token: subject, client_id: 'PUB' });
  const revoked = performance.now();
  expect(await living(tokens)).toEqual(all(false));
  expect(performance.now() - revoked).toBeLessThan(1000);
});

test('so MUST the end of its refresh token, and a child ends only what came of it', async () => {
  const { access_token: subject, refresh_token: refresh = '' } = await signedIn();
  const tokens = await generations(subject);
  await post(0, '/oauth/revoke', { token: tokens[1] ?? '' }, 'TOOL');
  expect(await living(tokens)).toEqual([true, true, false, false, false, false]);
  const others = await generations(subject);
  expect(await living(others)).toEqual(all(true));
  await post(1, '/oauth/revoke', { token: refresh, client_id: 'PUB' });
  expect(await living(others)).toEqual(all(false));
});

test('a subject that is revoked on one replica while the other exchanges it MUST leave nothing alive', async () => {
  for (let round = 0; round < 50; round += 1) {
    const { access_token: subject } = await signedIn();
    const types = { grant_type: grantType, subject_token_type: accessToken };
    const form = { ...types, subject_token: subject };
    const [, ...answers] = await Promise.all([
      post(1, '/oauth/revoke', { token: subject, client_id: 'PUB' }),
      ...Array.from({ length: 4 }, () => post(0, '/oauth/token', form, 'TOOL')),
    ]);
    for (const got of answers) {
      const body: unknown = await got.json();
      if (got.status === 200) {
        expect(await living([answer.parse(body).access_token])).toEqual([false, false]);
      } else expect(got.status).toBe(400);
    }
  }
});
