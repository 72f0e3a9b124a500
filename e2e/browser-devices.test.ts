import * as client from 'openid-client';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accessibilityProblems,
  approveButton,
  decide,
  openPage,
  signIn,
  wordsOf,
} from './support/browser.ts';
import { type BrowserStage, openBrowserStage } from './support/browser-stage.ts';
import { introspect } from './support/oauth.ts';

/** A device on one side (openid-client), a person with a real browser on the other. */

let stage: BrowserStage;
let device: client.Configuration;
beforeAll(async () => {
  stage = await openBrowserStage({
    clients: [
      {
        client_id: 'television',
        client_name: 'Television',
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      },
    ],
  });
  device = await client.discovery(new URL(stage.issuer), 'television', {}, client.None(), {
    execute: [client.allowInsecureRequests],
    algorithm: 'oauth2',
  });
});
afterAll(() => stage?.close());

const begin = () =>
  client.initiateDeviceAuthorization(device, {
    scope: 'access_boards',
    resource: stage.mcpUrl,
  });

async function typeCode(page: Page, code: string): Promise<void> {
  await page.locator('input[name=user_code]').fill(code);
  await page.locator('form:has(input[name=user_code]) button').click();
}

describe('a device (RFC 8628)', () => {
  test('gets tokens once the person has typed its code, signed in and approved', async () => {
    const started = await begin();
    const polling = client.pollDeviceAuthorizationGrant(device, started);
    const { context, page } = await openPage(stage.browser);
    await page.goto(started.verification_uri);
    expect(await accessibilityProblems(page)).toEqual([]);
    await typeCode(page, started.user_code.toLowerCase());
    await signIn(page, stage.alice.email, stage.alice.password);
    await page.locator(approveButton).waitFor();
    const words = await wordsOf(page);
    for (const named of ['Television', 'Boards', stage.mcpUrl, 'Read and change your boards']) {
      expect(words).toContain(named);
    }
    expect(await accessibilityProblems(page)).toEqual([]);
    await decide(page, 'approve');
    await page
      .getByText(/device/i)
      .first()
      .waitFor();

    const tokens = await polling;
    expect(await introspect(stage, tokens.access_token)).toMatchObject({
      active: true,
      client_id: 'television',
      username: stage.alice.email,
    });
    const next = await client.refreshTokenGrant(device, tokens.refresh_token ?? '');
    expect(await introspect(stage, next.access_token)).toMatchObject({ active: true });
    await context.close();
  });

  test('a complete verification URI only fills the code in: the person still submits', async () => {
    const started = await begin();
    const { context, page } = await openPage(stage.browser);
    await page.goto(started.verification_uri_complete ?? '');
    expect(await page.locator('input[name=user_code]').inputValue()).toBe(started.user_code);
    expect(page.url()).toContain('/device');
    await context.close();
  });

  test('is told access_denied when the person refuses', async () => {
    const started = await begin();
    const { context, page } = await openPage(stage.browser);
    await page.goto(started.verification_uri);
    await typeCode(page, started.user_code);
    await signIn(page, stage.alice.email, stage.alice.password);
    await decide(page, 'deny');
    await page.waitForLoadState();
    await expect(client.pollDeviceAuthorizationGrant(device, started)).rejects.toMatchObject({
      error: 'access_denied',
    });
    await context.close();
  });

  test('a code that nobody was given shows the form again with a sentence', async () => {
    const { context, page } = await openPage(stage.browser);
    await page.goto(`${stage.issuer}/device`);
    await typeCode(page, 'BBBB-BBBB');
    await page.locator('input[name=user_code]').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await context.close();
  });
});

describe('a personal access token', () => {
  test('is made in three steps, shown once, works, and is revoked', async () => {
    const { context, page } = await openPage(stage.browser);
    await page.goto(`${stage.issuer}/account/tokens/new`);
    await signIn(page, stage.alice.email, stage.alice.password);
    await page.goto(`${stage.issuer}/account/tokens/new?resource=boards`);
    await page.locator('input[name=name]').fill('My laptop');
    const box = page.locator('input[name=scope][value=access_boards]');
    if (!(await box.isChecked())) await box.check();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.locator('form:has(input[name=name]) button').click();
    const shown = page.locator('textarea#token');
    const token = await shown.inputValue();
    expect(token).toMatch(/^as_pat_[0-9A-Za-z]{49}$/);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await introspect(stage, token)).toMatchObject({ active: true, scope: 'access_boards' });

    await page.goto(`${stage.issuer}/account`);
    expect(await wordsOf(page)).toContain('My laptop');
    expect(await page.content()).not.toContain(token);
    await page.locator('li.token button').click();
    await page.waitForLoadState();
    await expect.poll(() => introspect(stage, token)).toEqual({ active: false });
    await context.close();
  });
});
