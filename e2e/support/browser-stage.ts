import { createHash, randomBytes } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { freePort } from '../../examples/demo/ports.ts';
import { approveButton, decide, launchBrowser, signIn } from './browser.ts';
import { startRedirectTarget } from './redirect-target.ts';
import { openStage, type Stage } from './stage.ts';

/** Three registered clients, one for each kind of redirect; all three take redirects for real. */
export type ClientName = 'web-app' | 'desktop-app' | 'cursor';

export type AuthorizationRequest = { url: string; state: string };

export type BrowserStage = Stage & {
  browser: Browser;
  redirects: Record<ClientName, string>;
  /** An authorization request that asks for consent; `undefined` leaves a parameter out. */
  request(client: ClientName, changes?: Record<string, string | undefined>): AuthorizationRequest;
  /** Does something, and answers the request with which the browser goes back to the client. */
  arrivalAfter(page: Page, client: ClientName, act: () => Promise<void>): Promise<URL>;
  /** Signs in as Alice and approves, until the browser is back at the client. */
  approve(page: Page, request: AuthorizationRequest): Promise<void>;
};

/**
 * A stage with a Chromium that finds `app.test` on this computer.
 * @param options `clients`: further pre-registered clients, in the wire names of RFC 7591
 */
export async function openBrowserStage({
  clients = [],
}: {
  clients?: Record<string, unknown>[];
} = {}): Promise<BrowserStage> {
  const loopbackTarget = await startRedirectTarget();
  const securePort = await freePort();
  const redirects = {
    'web-app': `https://app.test:${securePort}/callback`,
    'desktop-app': `http://127.0.0.1:${loopbackTarget.port}/callback`,
    cursor: 'cursor://anysphere.cursor-mcp/oauth/callback',
  };
  const stage = await openStage({
    clients: [
      ...Object.entries(redirects).map(([id, redirect]) => registration(id, redirect)),
      ...clients,
    ],
  });
  const certificate = await stage.authority.issue('app.test');
  const secureTarget = await startRedirectTarget(certificate, securePort);
  const browser = await launchBrowser(['app.test']);

  function request(
    client: ClientName,
    changes: Record<string, string | undefined> = {},
  ): AuthorizationRequest {
    const state = randomBytes(16).toString('base64url');
    const parameters: Record<string, string | undefined> = {
      response_type: 'code',
      client_id: client,
      redirect_uri: redirects[client],
      scope: 'access_boards offline_access',
      state,
      code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
      code_challenge_method: 'S256',
      resource: stage.mcpUrl,
      // Consent is remembered; every test wants to be asked.
      prompt: 'consent',
      ...changes,
    };
    const sent = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) sent.set(name, value);
    }
    return { url: `${stage.issuer}/oauth/authorize?${sent}`, state };
  }

  async function arrivalAfter(page: Page, client: ClientName, act: () => Promise<void>) {
    await page.locator(approveButton).waitFor();
    const arrival = page.waitForRequest((request) => request.url().startsWith(redirects[client]));
    await act();
    return new URL((await arrival).url());
  }

  async function approve(page: Page, { url, state }: AuthorizationRequest): Promise<void> {
    await page.goto(url);
    await signIn(page, stage.alice.email, stage.alice.password);
    await decide(page, 'approve');
    await page.waitForURL((arrived) => arrived.searchParams.get('state') === state);
  }

  async function close(): Promise<void> {
    await browser.close();
    await loopbackTarget.close();
    await secureTarget.close();
    await stage.close();
  }

  return { ...stage, browser, redirects, request, arrivalAfter, approve, close };
}

function registration(id: string, redirect: string): Record<string, unknown> {
  return {
    client_id: id,
    client_name: id,
    token_endpoint_auth_method: 'none',
    application_type: id === 'web-app' ? 'web' : 'native',
    redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token'],
  };
}
