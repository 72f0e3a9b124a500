import { createHash, randomBytes } from 'node:crypto';
import { type Browser, readForm } from './browser.testing.ts';
import { alice, encode, loopbackCallback, rs1, type TestServer } from './server.testing.ts';

export interface Flow {
  verifier: string;
  params: Record<string, string | string[]>;
}

/** A good authorization request of the public client, with changes; undefined removes a parameter. */
export function good(changes: Record<string, string | string[] | undefined> = {}): Flow {
  const verifier = randomBytes(32).toString('base64url');
  const params = {
    response_type: 'code',
    client_id: 'PUB',
    redirect_uri: loopbackCallback,
    scope: 'mcp:read',
    state: 'S1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource: rs1,
    ...changes,
  };
  const kept = Object.entries(params).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { verifier, params: Object.fromEntries(kept) };
}

export function authorizeUrl(server: TestServer, { params }: Flow): string {
  return `${server.url}/oauth/authorize?${encode(params)}`;
}

/** Signs in (where asked) and approves (where asked). @returns where the browser ended */
export async function authorize(
  server: TestServer,
  flow: Flow,
  {
    browser = server.browser(),
    person = alice,
    decision = 'approve',
  }: { browser?: Browser; person?: typeof alice; decision?: string } = {},
) {
  let page = await browser.open(authorizeUrl(server, flow));
  for (let step = 0; step < 3 && page.html.includes('<form'); step += 1) {
    const { action, fields } = readForm(page.html);
    if (/\/login\//.test(action)) {
      fields.push(['username', person.email], ['password', person.password]);
    } else if (/\/consent\//.test(action)) {
      fields.push(['decision', decision]);
    } else break;
    page = await browser.submit(action, fields);
  }
  return { ...page, browser, answer: new URL(page.url).searchParams };
}

/** The whole way to a code. */
export async function code(
  server: TestServer,
  flow: Flow = good(),
  options?: Parameters<typeof authorize>[2],
) {
  const { answer, html, url } = await authorize(server, flow, options);
  const value = answer.get('code');
  if (!value) throw new Error(`no code: ${url} ${html.slice(0, 2000)}`);
  return value;
}

/** Exchanges a code. */
export function redeem(
  server: TestServer,
  flow: Flow,
  value: string,
  changes: Record<string, string> = {},
  headers = {},
) {
  const body = {
    grant_type: 'authorization_code',
    code: value,
    redirect_uri: String(flow.params.redirect_uri),
    client_id: String(flow.params.client_id),
    code_verifier: flow.verifier,
    ...changes,
  };
  return server.post('/oauth/token', body, headers);
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  token_type: string;
  expires_in: number;
  scope: string;
}

/** The whole way to tokens. */
export async function tokens(
  server: TestServer,
  flow: Flow = good(),
  options?: Parameters<typeof authorize>[2],
): Promise<Tokens> {
  const response = await redeem(server, flow, await code(server, flow, options));
  if (response.status !== 200) throw new Error(`no tokens: ${await response.text()}`);
  return JSON.parse(await response.text());
}

export function refresh(
  server: TestServer,
  token: string,
  changes: Record<string, string> = {},
  headers = {},
) {
  return server.post(
    '/oauth/token',
    { grant_type: 'refresh_token', refresh_token: token, client_id: 'PUB', ...changes },
    headers,
  );
}
