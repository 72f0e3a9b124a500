import { createHash, randomBytes } from 'node:crypto';
import { createBrowser, readForm } from '../src/provider/browser.testing.ts';
import type { Contender } from './contenders.ts';
import { benchClient, benchPerson, benchResource } from './fixtures.ts';

/** One PKCE pair for all: what it costs the server is the same. */
export const verifier = randomBytes(32).toString('base64url');

/** Path and query of the authorization request that every code comes from. */
export function authorizeRequest({ authorizePath }: Contender): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: benchClient.id,
    redirect_uri: benchClient.redirectUri,
    scope: benchResource.scope,
    resource: benchResource.uri,
    state: 'state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return `${authorizePath}?${query}`;
}

/**
 * Signs the person in and approves, once. From then on a plain authorization request with the cookie
 * is answered with a code.
 *
 * @returns the Cookie header
 */
export async function signIn(contender: Contender): Promise<string> {
  const browser = createBrowser(contender.url);
  let page = await browser.open(`${contender.url}${authorizeRequest(contender)}`);
  for (let step = 0; step < 3 && page.html.includes('<form'); step += 1) {
    const { action, fields } = readForm(page.html);
    if (action.includes('/login/')) {
      fields.push(['username', benchPerson.email], ['password', benchPerson.password]);
    } else fields.push(['decision', 'approve']);
    page = await browser.submit(action, fields);
  }
  if (!new URL(page.url).searchParams.has('code')) {
    throw new Error(`no code: ${page.url} ${page.html.slice(0, 1000)}`);
  }
  return [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ');
}
