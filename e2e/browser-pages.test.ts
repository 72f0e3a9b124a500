import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../examples/demo/ports.ts';
import {
  accessibilityProblems,
  decide,
  launchBrowser,
  openPage,
  openTab,
  overflows,
  screenshotDirectory,
  signIn,
  tabTo,
} from './support/browser.ts';
import { type RedirectTarget, startRedirectTarget } from './support/redirect-target.ts';
import { openStage, type Stage } from './support/stage.ts';

const cursorRedirect = 'cursor://anysphere.cursor-mcp/oauth/callback';
const emailField = 'input[name=username]';
const approveButton = 'button[name=decision][value=approve]';

let stage: Stage;
let browser: Browser;
let secureTarget: RedirectTarget;
let loopbackTarget: RedirectTarget;
let screenshots: string;
/** Redirect URI by the name of its client. */
let redirects: Record<'web-app' | 'desktop-app' | 'cursor', string>;

beforeAll(async () => {
  loopbackTarget = await startRedirectTarget();
  const securePort = await freePort();
  redirects = {
    'web-app': `https://app.test:${securePort}/callback`,
    'desktop-app': `http://127.0.0.1:${loopbackTarget.port}/callback`,
    cursor: cursorRedirect,
  };
  stage = await openStage({
    clients: Object.entries(redirects).map(([id, redirect]) => registration(id, redirect)),
  });
  secureTarget = await startRedirectTarget(await stage.authority.issue('app.test'), securePort);
  browser = await launchBrowser(['app.test']);
  screenshots = await screenshotDirectory();
});

afterAll(async () => {
  await browser?.close();
  await loopbackTarget?.close();
  await secureTarget?.close();
  await stage?.close();
});

describe('Approve comes back to the client with code, state and iss, without a CSP violation', () => {
  test.each(['web-app', 'desktop-app', 'cursor'] as const)('%s', async (client) => {
    const { context, page, violations } = await openPage(browser);
    const { url, state } = authorizationRequest(client);
    await page.goto(url);
    await signIn(page, stage.alice.email, stage.alice.password);

    const back = await arrivalAfter(page, client, () => decide(page, 'approve'));

    expect(back.searchParams.get('code')).toBeTruthy();
    expect(back.searchParams.get('state')).toBe(state);
    expect(back.searchParams.get('iss')).toBe(stage.issuer);
    expect(violations).toEqual([]);
    await context.close();
  });
});

test('sign-in and consent work by keyboard alone', async () => {
  const { context, page, violations } = await openPage(browser);
  await page.goto(authorizationRequest('desktop-app').url);

  await tabTo(page, emailField);
  await page.keyboard.type(stage.alice.email);
  await tabTo(page, 'input[name=password]');
  await page.keyboard.type(stage.alice.password);
  await page.keyboard.press('Enter');
  await page.locator(approveButton).waitFor();
  const back = await arrivalAfter(page, 'desktop-app', async () => {
    await tabTo(page, approveButton);
    await page.keyboard.press('Enter');
  });

  expect(back.searchParams.get('code')).toBeTruthy();
  expect(violations).toEqual([]);
  await context.close();
});

test('sign-in and consent work without JavaScript', async () => {
  const { context, page } = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(authorizationRequest('web-app').url);
  await signIn(page, stage.alice.email, stage.alice.password);

  const back = await arrivalAfter(page, 'web-app', () => decide(page, 'approve'));

  expect(back.searchParams.get('code')).toBeTruthy();
  await context.close();
});

test('a wrong password shows the form again, and the right one then works', async () => {
  const { context, page } = await openPage(browser);
  await page.goto(authorizationRequest('desktop-app').url);
  await signIn(page, stage.alice.email, 'not the password');
  await page.locator(emailField).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);

  await signIn(page, stage.alice.email, stage.alice.password);

  await page.locator(approveButton).waitFor();
  await context.close();
});

test('Deny sends access_denied with state and iss back to the client', async () => {
  const { context, page } = await openPage(browser);
  const { url, state } = authorizationRequest('web-app');
  await page.goto(url);
  await signIn(page, stage.alice.email, stage.alice.password);

  const back = await arrivalAfter(page, 'web-app', () => decide(page, 'deny'));

  expect(back.searchParams.get('error')).toBe('access_denied');
  expect(back.searchParams.get('state')).toBe(state);
  expect(back.searchParams.get('iss')).toBe(stage.issuer);
  expect(back.searchParams.has('code')).toBe(false);
  await context.close();
});

describe('a remembered consent', () => {
  test('is not asked for again', async () => {
    const { context, page } = await openPage(browser);
    await approve(page, authorizationRequest('web-app'));

    const again = await openTab(context);
    await again.page.goto(authorizationRequest('web-app', { prompt: undefined }).url);

    expect(new URL(again.page.url()).searchParams.get('code')).toBeTruthy();
    await context.close();
  });

  test('of a client that anybody can be is asked for again when another site starts it', async () => {
    const { context, page } = await openPage(browser);
    const client = {
      client_id: publishDocument('/remembered.json'),
      redirect_uri: redirects['desktop-app'],
    };
    await approve(page, authorizationRequest('desktop-app', client));
    const again = authorizationRequest('desktop-app', { ...client, prompt: undefined });

    const typed = await openTab(context);
    await typed.page.goto(again.url);
    expect(new URL(typed.page.url()).searchParams.get('code')).toBeTruthy();

    const linked = await openTab(context);
    await linked.page.goto(redirects['web-app']);
    await linked.page.evaluate(`location.href = ${JSON.stringify(again.url)}`);
    await linked.page.locator(approveButton).waitFor();
    await context.close();
  });
});

test.each([
  ['registered by an operator', /operator/i],
  ['known by a document', /localhost:\d+/],
  ['self-registered', /unverified|not verified/i],
] as const)('the consent page says that a client is %s', async (how, words) => {
  const { context, page } = await openPage(browser);
  const redirect_uri = redirects['desktop-app'];
  const client_id = {
    'registered by an operator': async () => 'desktop-app',
    'known by a document': async () => publishDocument('/provenance.json'),
    'self-registered': register,
  };
  await page.goto(
    authorizationRequest('desktop-app', { client_id: await client_id[how](), redirect_uri }).url,
  );
  await signIn(page, stage.alice.email, stage.alice.password);
  await page.locator(approveButton).waitFor();

  expect(await wordsOf(page)).toMatch(words);
  expect(await accessibilityProblems(page)).toEqual([]);
  await context.close();
});

test('the consent page names client, redirect host, resource and account', async () => {
  const { context, page } = await openPage(browser);
  await page.goto(authorizationRequest('web-app').url);
  await signIn(page, stage.alice.email, stage.alice.password);
  await page.locator(approveButton).waitFor();

  const words = await wordsOf(page);

  for (const named of [
    'web-app',
    new URL(redirects['web-app']).host,
    'Boards',
    stage.mcpUrl,
    'Read and change your boards',
    stage.alice.email,
  ]) {
    expect(words).toContain(named);
  }
  expect(await page.locator('input[name=scope][value=access_boards]').isChecked()).toBe(true);
  expect(await page.locator('input[name=scope][value=offline_access]').count()).toBe(0);
  await context.close();
});

test('no box ticked shows the consent form again', async () => {
  const { context, page } = await openPage(browser);
  await page.goto(authorizationRequest('desktop-app').url);
  await signIn(page, stage.alice.email, stage.alice.password);
  await page.locator(approveButton).waitFor();
  for (const box of await page.locator('input[name=scope]').all()) await box.uncheck();

  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await decide(page, 'approve');
  await answer;
  await page.waitForLoadState();

  expect(new URL(page.url()).origin).toBe(new URL(stage.issuer).origin);
  await page.locator(approveButton).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await context.close();
});

test('three tabs opened before the sign-in all finish with their own state', async () => {
  const { context } = await openPage(browser);
  const tabs = await Promise.all(
    [1, 2, 3].map(async () => ({
      ...(await openTab(context)),
      ...authorizationRequest('desktop-app'),
    })),
  );
  for (const { page, url } of tabs) {
    await page.goto(url);
    await page.locator(emailField).waitFor();
  }

  for (const { page, state } of tabs) {
    await signIn(page, stage.alice.email, stage.alice.password);
    const back = await arrivalAfter(page, 'desktop-app', () => decide(page, 'approve'));
    expect(back.searchParams.get('state')).toBe(state);
    expect(back.searchParams.get('code')).toBeTruthy();
  }
  await context.close();
});

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  test.each([360, 1280])('%i px wide, every page is accessible and fits', async (width) => {
    const { context, page, violations } = await openPage(browser, {
      colorScheme,
      viewport: { width, height: 900 },
    });
    const look = async (name: string) => {
      await page.screenshot({
        path: join(screenshots, `${name}-${colorScheme}-${width}.png`),
        fullPage: true,
      });
      expect(await accessibilityProblems(page), name).toEqual([]);
      expect(await overflows(page), `${name} overflows`).toBe(false);
    };

    await page.goto(authorizationRequest('desktop-app').url);
    await look('sign-in');
    await signIn(page, stage.alice.email, 'not the password');
    await look('sign-in-refused');
    await signIn(page, stage.alice.email, stage.alice.password);
    await page.locator(approveButton).waitFor();
    await look('consent-loopback');
    await page.goto(authorizationRequest('web-app').url);
    await page.locator(approveButton).waitFor();
    await look('consent-https');
    await page.goto(authorizationRequest('web-app', { redirect_uri: 'https://evil.test/' }).url);
    await look('error');

    expect(violations).toEqual([]);
    await context.close();
  });
});

test('a bad redirect URI is a page with the trace id of the log, never a redirect', async () => {
  const { context, page } = await openPage(browser);
  const { url } = authorizationRequest('web-app', { redirect_uri: 'https://evil.test/callback' });

  const response = await page.goto(url);

  expect(response?.status()).toBe(400);
  expect(new URL(page.url()).origin).toBe(new URL(stage.issuer).origin);
  const candidates = (await wordsOf(page)).match(/\b[0-9A-HJKMNP-TV-Z]{10}\b/gi) ?? [];
  const log = stage.server.output();
  expect(
    candidates.some((id) => log.includes(`"${id}"`)),
    candidates.join(),
  ).toBe(true);
  await context.close();
});

/** Signs in and approves, and is back at the client. */
async function approve(page: Page, { url, state }: { url: string; state: string }): Promise<void> {
  await page.goto(url);
  await signIn(page, stage.alice.email, stage.alice.password);
  await decide(page, 'approve');
  await page.waitForURL((arrived) => arrived.searchParams.get('state') === state);
}

function publicClient(): Record<string, unknown> {
  return {
    client_name: 'Somebody’s client',
    redirect_uris: [redirects['desktop-app']],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  };
}

function publishDocument(path: string): string {
  return stage.documents.publish(path, publicClient());
}

async function register(): Promise<string> {
  const response = await fetch(`${stage.issuer}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(publicClient()),
  });
  const { client_id }: { client_id: string } = JSON.parse(await response.text());
  return client_id;
}

async function wordsOf(page: Page): Promise<string> {
  return (await page.locator('body').textContent()) ?? '';
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

function authorizationRequest(
  client: keyof typeof redirects,
  changes: Record<string, string | undefined> = {},
): { url: string; state: string } {
  const state = randomBytes(16).toString('base64url');
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  const parameters = {
    response_type: 'code',
    client_id: client,
    redirect_uri: redirects[client],
    scope: 'access_boards offline_access',
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: stage.mcpUrl,
    // Consent is remembered; every test wants to be asked.
    prompt: 'consent',
    ...changes,
  };
  const sent = Object.entries(parameters).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  return { url: `${stage.issuer}/oauth/authorize?${new URLSearchParams(sent)}`, state };
}

/** The request with which the browser goes back to the client, whatever its scheme. */
async function arrivalAfter(
  page: Page,
  client: keyof typeof redirects,
  act: () => Promise<void>,
): Promise<URL> {
  await page.locator(approveButton).waitFor();
  const arrival = page.waitForRequest((request) => request.url().startsWith(redirects[client]), {
    timeout: 15_000,
  });
  await act();
  return new URL((await arrival).url());
}
