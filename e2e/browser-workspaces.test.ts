import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accessibilityProblems,
  launchBrowser,
  openPage,
  overflows,
  screenshotDirectory,
  signIn,
  tabTo,
  wordsOf,
} from './support/browser.ts';
import { openStage, type Stage } from './support/stage.ts';

const files = 'https://files.example.com/mcp';
const ada = { email: 'ada@example.com', password: 'a password of Ada' };
const password = 'a password of Dora';

let stage: Stage;
let browser: Browser;
let screenshots: string;

beforeAll(async () => {
  stage = await openStage({
    people: [{ ...ada, name: 'Ada', workspaces: [{ slug: 'acme', role: 'admin' }] }],
    config: {
      workspaces: [{ slug: 'acme', name: 'Acme Inc.' }],
      resources: [
        {
          ...{ slug: 'files', uri: files, display_name: 'Files', workspace_scoped: true },
          ...{ clients: ['boards'], scopes: [{ name: 'files:use', description: 'Use files' }] },
        },
      ],
    },
  });
  browser = await launchBrowser();
  screenshots = await screenshotDirectory();
});
afterAll(async () => {
  await browser?.close();
  await stage?.close();
});

const workspace = () => `${stage.issuer}/account/workspaces/acme`;

async function openAs(person: typeof ada, options: Parameters<typeof openPage>[1] = {}) {
  const opened = await openPage(browser, options);
  await opened.page.goto(workspace());
  await signIn(opened.page, person.email, person.password);
  await opened.page.waitForURL(workspace());
  return opened;
}

/** What the MCP server learns about a token. */
async function introspect(token: string): Promise<Record<string, unknown>> {
  const { id, secret } = stage.boardsClient;
  const answer = await fetch(`${stage.issuer}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ token }),
  });
  return JSON.parse(await answer.text());
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true });

/** Invites somebody on the page of the workspace. @returns the link that it shows */
async function invite(page: Page, email: string): Promise<string> {
  await page.goto(workspace());
  await page.getByLabel('E-mail').fill(email);
  await button(page, 'Invite').click();
  return page.getByLabel('Link').inputValue();
}

test.each([true, false])(
  'invite, join, make a credential, download it, revoke it (JavaScript: %s)',
  async (javaScriptEnabled) => {
    const dora = { email: `dora-${javaScriptEnabled}@example.com`, password };
    const { context, page, violations } = await openAs(ada, { javaScriptEnabled });
    const invitation = await invite(page, dora.email);

    const other = await openPage(browser, { javaScriptEnabled });
    await other.page.goto(invitation);
    await other.page.getByLabel('Password').fill(dora.password);
    await button(other.page, 'Make an account and join').click();
    await other.page.getByRole('status').waitFor();
    expect(await wordsOf(other.page)).toContain('You are a member of this workspace now.');

    await page.goto(workspace());
    await link(page, 'Create the default token for Files').click();
    await button(page, 'Create').click();
    const token = await page.getByLabel('Token').inputValue();
    expect(await introspect(token)).toMatchObject({ active: true });
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      button(page, 'Download .env').click(),
    ]);
    expect(download.suggestedFilename()).toBe('acme-files.env');
    const content = await readFile(await download.path(), 'utf8');
    expect(content).toBe(`MCP_URL="${files}"\nMCP_TOKEN="${token}"\n`);

    await page.goto(workspace());
    await link(page, 'Revoke the default token for Files').click();
    await button(page, 'Revoke').click();
    await page.getByRole('status').waitFor();
    expect(await introspect(token)).toEqual({ active: false });

    await other.page.reload();
    await link(other.page, 'Leave').click();
    await button(other.page, 'Leave').click();
    await other.page.waitForURL(`${stage.issuer}/account`);
    expect([...violations, ...other.violations]).toEqual([]);
    await Promise.all([context.close(), other.context.close()]);
  },
);

test('an invitation for somebody else is refused, and accepted after switching the account', async () => {
  const { context, page } = await openAs(ada);
  const invitation = await invite(page, stage.alice.email);
  await page.goto(invitation);
  expect(await wordsOf(page)).toContain('This invitation is for somebody else');
  await button(page, 'Switch account').click();
  await signIn(page, stage.alice.email, stage.alice.password);
  await page.waitForURL(invitation);
  await button(page, 'Join').click();
  await page.waitForURL(/done=joined/);
  expect(await wordsOf(page)).toContain('Alice Example (you)');
  await context.close();
});

test('the page works by keyboard alone', async () => {
  const { context, page } = await openAs(ada);
  await tabTo(page, 'summary');
  await page.keyboard.press('Enter');
  expect(await page.locator('details[open]').count()).toBe(1);
  await tabTo(page, '#email');
  await page.keyboard.type('keys@example.com');
  await page.keyboard.press('Enter');
  await page.getByLabel('Link').waitFor();
  await context.close();
});

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  test.each([320, 1280])('%i px wide, every page is accessible and fits', async (width) => {
    const viewport = { width, height: 900 };
    const { context, page, violations } = await openAs(ada, { colorScheme, viewport });
    const look = async (name: string, on = page) => {
      const file = join(screenshots, `${name}-${colorScheme}-${width}.png`);
      await on.screenshot({ path: file, fullPage: true });
      expect(await accessibilityProblems(on), name).toEqual([]);
      expect(await overflows(on), `${name} overflows`).toBe(false);
    };

    for (const summary of await page.locator('summary').all()) await summary.click();
    await look('workspace');
    await button(page, 'Make member: Ada').click();
    await page.getByRole('alert').waitFor();
    await look('workspace-refused');
    await link(page, 'Create the default token for Files').click();
    await look('credential-question');
    await button(page, 'Create').click();
    await page.getByLabel('Token').waitFor();
    await look('credential');
    await page.goto(workspace());
    await link(page, 'Revoke the default token for Files').click();
    await button(page, 'Revoke').click();

    const invitation = await invite(page, `eve-${colorScheme}-${width}@example.com`);
    await look('invitation-made');
    await page.goto(invitation);
    await look('invitation-other');
    const stranger = await openPage(browser, { colorScheme, viewport });
    await stranger.page.goto(invitation);
    await look('invitation-new', stranger.page);
    await stranger.page.goto(`${stage.issuer}/account/invitations/${'x'.repeat(43)}`);
    await look('invitation-dead', stranger.page);
    await page.goto(`${stage.issuer}/account`);
    await look('account');

    expect([...violations, ...stranger.violations]).toEqual([]);
    await Promise.all([context.close(), stranger.context.close()]);
  });
});
