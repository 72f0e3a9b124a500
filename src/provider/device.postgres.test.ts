import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { type Browser, createBrowser, readForm } from './browser.testing.ts';
import { type Device, deviceGrant } from './device.testing.ts';
import { good } from './flow.testing.ts';
import type { Pushed } from './par.testing.ts';
import { type Replicas, startReplicas } from './replicas.testing.ts';
import { alice, encode, loopbackCallback, rs1 } from './server.testing.ts';

/** Device codes, user codes and pushed requests are good once, whichever replicas are asked at once. */

const rounds = 300;
const lanes = 6;

let replicas: Replicas;
beforeAll(async () => {
  const dsn = await createTestDatabase('devices');
  replicas = await startReplicas(
    dsn,
    `
resources:
  - { slug: rs1, uri: "${rs1}", display_name: One, scopes: [{ name: "mcp:read", description: Read }] }
clients:
  - { client_id: PUB, application_type: native, redirect_uris: ["${loopbackCallback}"] }
  - { client_id: DEV, grant_types: [refresh_token, "${deviceGrant}"] }
users:
  - { email: ${alice.email}, password: "${alice.password}" }
`,
  );
});
afterAll(() => replicas?.stop());

async function post(url: string, form: Record<string, string | string[]>) {
  const answer = await fetch(url, { method: 'POST', body: encode(form) });
  return { status: answer.status, text: await answer.text() };
}

async function startDevice(): Promise<Device> {
  const form = { client_id: 'DEV', scope: 'mcp:read', resource: rs1 };
  const { text } = await post(`${replicas.urls[1]}/oauth/device_authorization`, form);
  return JSON.parse(text);
}

/** The same poll on each replica, at the same moment. @returns the errors, or `token` */
async function pollBoth(device_code: string): Promise<string[]> {
  const form = { grant_type: deviceGrant, device_code, client_id: 'DEV' };
  const polls = replicas.urls.map((url) => post(`${url}/oauth/token`, form));
  const answers = await Promise.all(polls);
  return answers
    .map(({ status, text }) => (status === 200 ? 'token' : JSON.parse(text).error))
    .sort();
}

/** Goes through the pages from here, signing in where asked and approving. */
async function approve(browser: Browser, start: Awaited<ReturnType<Browser['open']>>, code = '') {
  let page = start;
  for (let step = 0; step < 4 && page.html.includes('<form'); step += 1) {
    const { action, fields } = readForm(page.html);
    fields.push(['username', alice.email], ['password', alice.password], ['decision', 'approve']);
    page = await browser.submit(action, [...fields, ['user_code', code]]);
  }
  return page;
}

async function race(round: (browser: Browser) => Promise<string | undefined>, count = rounds) {
  const wrong: string[] = [];
  const lane = async () => {
    const browser = createBrowser(replicas.issuer);
    const flow = good();
    await approve(browser, await browser.open(authorizeUrl(replicas.issuer, flow.params)));
    for (let n = 0; n < count / lanes; n += 1) {
      const problem = await round(browser);
      if (problem) wrong.push(problem);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return wrong;
}

function authorizeUrl(url: string, params: Record<string, string | string[]>): string {
  return `${url}/oauth/authorize?${encode(params)}`;
}

test('one device code on two replicas at once MUST buy a token exactly once', async () => {
  const wrong = await race(async (browser) => {
    const { device_code, user_code } = await startDevice();
    const page = await approve(browser, await browser.open(`${replicas.issuer}/device`), user_code);
    if (!page.html.includes('Go back to your device')) return `not approved: ${page.url}`;
    const outcome = (await pollBoth(device_code)).join(' ');
    return outcome === 'invalid_grant token' ? undefined : outcome;
  });
  expect(wrong).toEqual([]);
});

test('polls of a pending code MUST be counted together by all replicas', async () => {
  const wrong = await race(async () => {
    const { device_code } = await startDevice();
    const outcome = (await pollBoth(device_code)).join(' ');
    return outcome === 'authorization_pending slow_down' ? undefined : outcome;
  });
  expect(wrong).toEqual([]);
});

test('one user code typed in two browsers on two replicas at once MUST be taken from one', async () => {
  const typing = async (url: string) => {
    const browser = createBrowser(replicas.issuer);
    const { html } = await browser.open(`${replicas.issuer}/device`);
    return (user_code: string) =>
      browser.send(`${url}/device`, {
        method: 'POST',
        headers: { origin: replicas.issuer },
        body: new URLSearchParams([...readForm(html).fields, ['user_code', user_code]]),
      });
  };
  const [one, other] = [await typing(replicas.urls[0]), await typing(replicas.urls[1])];
  for (let n = 0; n < 30; n += 1) {
    const { user_code } = await startDevice();
    const answers = await Promise.all([one(user_code), other(user_code)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 400]);
  }
});

test('one request_uri on two replicas at once MUST lead to one code, and to no redirect besides', async () => {
  const wrong = await race(async (browser) => {
    const pushed = await post(`${replicas.urls[1]}/oauth/par`, good().params);
    const { request_uri }: Pushed = JSON.parse(pushed.text);
    const answers = await Promise.all(
      replicas.urls.map((url) =>
        browser.send(authorizeUrl(url, { client_id: 'PUB', request_uri })),
      ),
    );
    const codes = answers.filter((answer) =>
      /[?&]code=/.test(answer.headers.get('location') ?? ''),
    );
    const pages = answers.filter(({ status }) => status === 400);
    if (codes.length === 1 && pages.length === 1) return undefined;
    return answers.map(({ status, headers }) => `${status} ${headers.get('location')}`).join(', ');
  });
  expect(wrong).toEqual([]);
});
