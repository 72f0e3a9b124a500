import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accessibilityProblems,
  approveButton,
  decide,
  emailField,
  openPage,
  openTab,
  overflows,
  screenshotDirectory,
  signIn,
  tabTo,
  wordsOf,
} from './support/browser.ts';
import { type BrowserStage, openBrowserStage } from './support/browser-stage.ts';

let stage: BrowserStage;
let screenshots: string;

beforeAll(async () => {
  stage = await openBrowserStage();
  screenshots = await screenshotDirectory();
});
afterAll(async () => {
  await stage?.close();
});

describe('Approve comes back to the client with code, state and iss, without a CSP violation', () => {
  test.each(['web-app', 'desktop-app', 'cursor'] as const)('%s', async (client) => {
    const { context, page, violations } = await openPage(stage.browser);
    const { url, state } = stage.request(client);
    await page.goto(url);
    await signIn(page, stage.alice.email, stage.alice.password);

    const back = await stage.arrivalAfter(page, client, () => decide(page, 'approve'));

    expect(back.searchParams.get('code')).toBeTruthy();
    expect(back.searchParams.get('state')).toBe(state);
    expect(back.searchParams.get('iss')).toBe(stage.issuer);
    expect(violations).toEqual([]);
    await context.close();
  });
});

test('Deny sends access_denied with state and iss back to the client', async () => {
  const { context, page } = await openPage(stage.browser);
  const { url, state } = stage.request('web-app');
  await page.goto(url);
  await signIn(page, stage.alice.email, stage.alice.password);

  const back = await stage.arrivalAfter(page, 'web-app', () => decide(page, 'deny'));

  expect(back.searchParams.get('error')).toBe('access_denied');
  expect(back.searchParams.get('state')).toBe(state);
  expect(back.searchParams.get('iss')).toBe(stage.issuer);
  expect(back.searchParams.has('code')).toBe(false);
  await context.close();
});

test('sign-in and consent work by keyboard alone', async () => {
  const { context, page, violations } = await openPage(stage.browser);
  await page.goto(stage.request('desktop-app').url);

  await tabTo(page, emailField);
  await page.keyboard.type(stage.alice.email);
  await tabTo(page, 'input[name=password]');
  await page.keyboard.type(stage.alice.password);
  await page.keyboard.press('Enter');
  const back = await stage.arrivalAfter(page, 'desktop-app', async () => {
    await tabTo(page, approveButton);
    await page.keyboard.press('Enter');
  });

  expect(back.searchParams.get('code')).toBeTruthy();
  expect(violations).toEqual([]);
  await context.close();
});

test('sign-in and consent work without JavaScript', async () => {
  const { context, page } = await openPage(stage.browser, { javaScriptEnabled: false });
  await page.goto(stage.request('web-app').url);
  await signIn(page, stage.alice.email, stage.alice.password);

  const back = await stage.arrivalAfter(page, 'web-app', () => decide(page, 'approve'));

  expect(back.searchParams.get('code')).toBeTruthy();
  await context.close();
});

test('a wrong password shows the form again, and the right one then works', async () => {
  const { context, page } = await openPage(stage.browser);
  await page.goto(stage.request('desktop-app').url);
  await signIn(page, stage.alice.email, 'not the password');
  await page.locator(emailField).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);

  await signIn(page, stage.alice.email, stage.alice.password);

  await page.locator(approveButton).waitFor();
  await context.close();
});

test('three tabs opened before the sign-in all finish with their own state', async () => {
  const { context } = await openPage(stage.browser);
  const tabs = await Promise.all(
    [1, 2, 3].map(async () => ({ ...(await openTab(context)), ...stage.request('desktop-app') })),
  );
  for (const { page, url } of tabs) {
    await page.goto(url);
    await page.locator(emailField).waitFor();
  }

  for (const { page, state } of tabs) {
    await signIn(page, stage.alice.email, stage.alice.password);
    const back = await stage.arrivalAfter(page, 'desktop-app', () => decide(page, 'approve'));
    expect(back.searchParams.get('state')).toBe(state);
    expect(back.searchParams.get('code')).toBeTruthy();
  }
  await context.close();
});

test('a bad redirect URI is a page with the trace id of the log, never a redirect', async () => {
  const { context, page } = await openPage(stage.browser);
  const { url } = stage.request('web-app', { redirect_uri: 'https://evil.test/callback' });

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

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  test.each([360, 1280])('%i px wide, every page is accessible and fits', async (width) => {
    const { context, page, violations } = await openPage(stage.browser, {
      colorScheme,
      viewport: { width, height: 900 },
    });
    const look = async (name: string) => {
      const file = join(screenshots, `${name}-${colorScheme}-${width}.png`);
      await page.screenshot({ path: file, fullPage: true });
      expect(await accessibilityProblems(page), name).toEqual([]);
      expect(await overflows(page), `${name} overflows`).toBe(false);
    };

    await page.goto(stage.request('desktop-app').url);
    await look('sign-in');
    await signIn(page, stage.alice.email, 'not the password');
    await look('sign-in-refused');
    await signIn(page, stage.alice.email, stage.alice.password);
    await page.locator(approveButton).waitFor();
    await look('consent-loopback');
    await page.goto(stage.request('web-app').url);
    await page.locator(approveButton).waitFor();
    await look('consent-https');
    await page.goto(stage.request('web-app', { redirect_uri: 'https://evil.test/' }).url);
    await look('error');

    expect(violations).toEqual([]);
    await context.close();
  });
});
