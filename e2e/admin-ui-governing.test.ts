import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSdkClient } from '../examples/demo/sdk-client.ts';
import { accessibilityProblems } from './support/browser.ts';
import { type ConsoleStage, openConsoleStage } from './support/console.ts';
import { introspect } from './support/oauth.ts';

/** What operators take back in the console ends at the MCP server; workspace admins see their workspace. */

let stage: ConsoleStage;
beforeAll(async () => {
  stage = await openConsoleStage();
});
afterAll(() => stage?.close());

/** A real client that Alice has approved. */
async function connected() {
  const person = stage.person();
  const client = createSdkClient({
    mcpUrl: stage.mcpUrl,
    metadata: {
      client_name: 'Governed client',
      redirect_uris: ['http://127.0.0.1:7777/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    openBrowser: (url: URL) => person.authorize(url),
  });
  await client.connect();
  expect(await client.listTools()).toContain('list_boards');
  return client;
}

async function confirm(page: Page, action: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await dialog.getByRole('button', { name: action }).click();
  await dialog.waitFor({ state: 'detached' });
}

describe('an operator in the console', () => {
  test('revokes a connection, and its tokens MUST be inactive at once', async () => {
    const client = await connected();
    const token = client.tokens().access_token;
    expect(await introspect(stage, token)).toMatchObject({ active: true });

    const { page, violations } = await stage.enter('owner', '/grants');
    const row = page.getByRole('row', { name: /Governed client/ }).first();
    await row.getByRole('link', { name: stage.alice.email }).click();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await confirm(page, 'Revoke');
    await page.getByText('revoked', { exact: true }).first().waitFor();

    expect(await introspect(stage, token)).toEqual({ active: false });
    expect(await client.refresh()).toBe('REDIRECT');
    expect(violations).toEqual([]);
    await page.context().close();
  });

  test('suspends a client, and resumes it with what it had', async () => {
    const client = await connected();
    const id = client.clientInformation().client_id;
    const { page } = await stage.enter('owner', `/clients/${encodeURIComponent(id)}`);
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Suspend' }).click();
    await confirm(page, 'Suspend');
    expect(await introspect(stage, client.tokens().access_token)).toEqual({ active: false });

    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor({ state: 'detached' });
    expect(await client.refresh()).toBe('AUTHORIZED');
    await page.context().close();
  });

  test('watches live what happens, without reading the page again', async () => {
    await connected();
    const { page, violations } = await stage.enter('owner', '/audit?type=consent_granted');
    await page.getByRole('link', { name: 'Consent granted' }).first().waitFor();
    await page.getByRole('switch', { name: 'Live' }).check();
    const rows = page.getByRole('row');
    const before = await rows.count();
    await connected();
    await rows.nth(before).waitFor();
    expect(violations).toEqual([]);
    await page.context().close();
  });
});
