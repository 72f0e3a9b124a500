import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accessibilityProblems,
  approveButton,
  decide,
  openPage,
  openTab,
  signIn,
  wordsOf,
} from './support/browser.ts';
import { type BrowserStage, openBrowserStage } from './support/browser-stage.ts';

let stage: BrowserStage;
beforeAll(async () => {
  stage = await openBrowserStage();
});
afterAll(async () => {
  await stage?.close();
});

describe('the consent page', () => {
  test('names client, redirect host, resource, scope and account, and ticks the scope', async () => {
    const { context, page } = await openPage(stage.browser);
    await openConsent(page, stage.request('web-app').url);

    const words = await wordsOf(page);

    for (const named of [
      'web-app',
      new URL(stage.redirects['web-app']).host,
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

  test('comes again when no box is ticked', async () => {
    const { context, page } = await openPage(stage.browser);
    await openConsent(page, stage.request('desktop-app').url);
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

  test('says that an operator registered the client', async () => {
    expect(await provenance('desktop-app')).toMatch(/operator/i);
  });

  test('names the host of the document that the client is known by', async () => {
    const clientId = stage.documents.publish('/provenance.json', publicClient());
    expect(await provenance(clientId)).toMatch(/verified host:?\s*localhost/i);
  });

  test('says that a client which registered itself is not verified', async () => {
    expect(await provenance(await register())).toMatch(/unverified|not verified/i);
  });
});

describe('a remembered consent', () => {
  test('is not asked for again', async () => {
    const { context, page } = await openPage(stage.browser);
    await stage.approve(page, stage.request('web-app'));

    const again = await openTab(context);
    await again.page.goto(stage.request('web-app', { prompt: undefined }).url);

    expect(new URL(again.page.url()).searchParams.get('code')).toBeTruthy();
    await context.close();
  });

  test('of a CIMD client MUST be asked for again when another site starts the flow', async () => {
    const { context, page } = await openPage(stage.browser);
    const client_id = stage.documents.publish('/remembered.json', publicClient());
    await stage.approve(page, stage.request('desktop-app', { client_id }));
    const again = stage.request('desktop-app', { client_id, prompt: undefined });

    const typed = await openTab(context);
    await typed.page.goto(again.url);
    expect(new URL(typed.page.url()).searchParams.get('code')).toBeTruthy();

    const linked = await openTab(context);
    await linked.page.goto(stage.redirects['web-app']);
    await linked.page.evaluate(`location.href = ${JSON.stringify(again.url)}`);
    await linked.page.locator(approveButton).waitFor();
    await context.close();
  });
});

type Page = Awaited<ReturnType<typeof openPage>>['page'];

async function openConsent(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await signIn(page, stage.alice.email, stage.alice.password);
  await page.locator(approveButton).waitFor();
}

/** The words of the consent page for a client that redirects to this computer. */
async function provenance(clientId: string): Promise<string> {
  const { context, page } = await openPage(stage.browser);
  await openConsent(page, stage.request('desktop-app', { client_id: clientId }).url);
  const words = await wordsOf(page);
  expect(await accessibilityProblems(page)).toEqual([]);
  await context.close();
  return words;
}

function publicClient(): Record<string, unknown> {
  return {
    client_name: 'Somebody’s client',
    redirect_uris: [stage.redirects['desktop-app']],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  };
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
