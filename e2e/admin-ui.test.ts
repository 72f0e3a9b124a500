import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityProblems, openPage, overflows } from './support/browser.ts';
import { type ConsoleStage, openConsoleStage } from './support/console.ts';
import { seedConsole } from './support/console-seed.ts';

let stage: ConsoleStage;

beforeAll(async () => {
  stage = await openConsoleStage();
});
afterAll(() => stage?.close());

const everyPage = [
  '/',
  '/clients',
  '/clients/boards',
  '/clients/boards?tab=audit',
  '/grants',
  '/issuances',
  '/issuances/:issuance',
  '/tokens',
  '/resources',
  '/resources/boards',
  '/resources/files',
  '/users',
  '/users/:wanda',
  '/workspaces',
  '/workspaces/:acme',
  '/workspaces/:globex',
  '/mcp-servers',
  '/mcp-servers/:server',
  '/identity-providers',
  '/identity-providers/:provider',
  '/trusted-issuers',
  '/trusted-issuers/:trusted',
  '/flows',
  '/doctor',
  '/inspector',
  '/audit',
  '/audit?event=:event',
  '/audit?tab=chain',
  '/audit?tab=undelivered',
  '/keys',
  '/api-keys',
  '/settings',
  '/settings?tab=configuration',
];

/** The page is there, and has what it asked the API for. */
async function loaded(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
}

describe('the admin console', () => {
  test('asks who one is, and comes back to the page that was asked for', async () => {
    const { page, violations } = await openPage(stage.browser);
    await page.goto(stage.url('/clients?kind=preregistered'));
    await page.waitForURL((url) => url.pathname === '/admin/sign-in');
    await page.locator('input[name=username]').fill(stage.people.owner.email);
    await page.locator('input[name=password]').fill(stage.people.owner.password);
    await page.locator('input[name=password]').press('Enter');
    await page.getByRole('link', { name: 'Boards MCP server' }).waitFor();
    expect(page.url()).toBe(stage.url('/clients?kind=preregistered'));
    expect(violations).toEqual([]);
    await page.context().close();
  });

  test('loads at most 300 kB compressed at first, and nothing from elsewhere', async () => {
    const { page } = await stage.enter('owner');
    await page.goto(stage.url('/'), { waitUntil: 'networkidle' });
    const files = await page.evaluate<{ name: string; encodedBodySize: number }[]>(
      `performance.getEntries().filter((entry) => 'encodedBodySize' in entry).map((entry) => entry.toJSON())`,
    );
    const shipped = files.filter(({ name }) => !name.includes('/admin/api/'));
    const bytes = shipped.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThanOrEqual(300_000);
    expect(files.filter(({ name }) => !name.startsWith(`${stage.adminUrl}/`))).toEqual([]);
    await page.context().close();
  });

  test('creates, edits, suspends, resumes and deletes a client', async () => {
    const { page, violations } = await stage.enter('owner', '/clients');
    await page.getByRole('button', { name: 'Create client' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Nightly sync');
    await dialog.getByLabel('client_id').fill('nightly-sync');
    await dialog.getByLabel('How it proves who it is').selectOption('client_secret_basic');
    await dialog.getByLabel('Redirect URIs').fill('https://sync.example.com/callback');
    await dialog.getByRole('button', { name: 'Create client' }).click();
    const secret = await page.getByTestId('secret').textContent();
    expect(secret?.length).toBeGreaterThan(20);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.waitForURL(stage.url('/clients/nightly-sync'));

    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('dialog').getByLabel('Most scopes').fill('access_boards');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('definition').filter({ hasText: 'access_boards' }).waitFor();

    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Suspend' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    const remove = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
    expect(await remove.isDisabled()).toBe(true);
    await page.getByRole('dialog').getByRole('textbox').fill('nightly-sync');
    await remove.click();
    await page.waitForURL(stage.url('/clients'));
    expect(violations).toEqual([]);
    await page.context().close();
  });

  test('keeps search and filters in the address, through a reload and the back button', async () => {
    const { page } = await stage.enter('owner', '/users');
    await page.getByLabel('Role').selectOption('viewer');
    await page.getByRole('link', { name: stage.people.viewer.email }).waitFor();
    await page.getByRole('link', { name: stage.people.owner.email }).waitFor({ state: 'detached' });
    await page.getByRole('searchbox').fill('view');
    await page.waitForURL((url) => url.searchParams.get('q') === 'view');
    await page.reload();
    await page.getByRole('link', { name: stage.people.viewer.email }).waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('view');
    expect(await page.getByLabel('Role').inputValue()).toBe('viewer');
    await page.goBack();
    await page.getByRole('link', { name: stage.people.owner.email }).waitFor();
    await page.context().close();
  });

  test('is worked with the keyboard alone: search, rows and the palette', async () => {
    const { page } = await stage.enter('owner', '/clients');
    await page.getByRole('link', { name: 'Boards MCP server' }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname.startsWith('/admin/ui/clients/'));
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go to' }).fill('audit');
    await page.getByRole('option', { name: /Audit log/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(stage.url('/audit'));
    await page.context().close();
  });

  test('finds a flow that failed, shows what was sent and expected, and fixes it', async () => {
    await stage.api('POST', '/resources', {
      slug: 'notes',
      uri: 'https://mcp.example.test/mcp',
      display_name: 'Notes',
      scopes: [{ name: 'notes:read' }],
    });
    await stage.api('POST', '/clients', {
      client_id: 'desktop',
      client_name: 'Desktop',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    });
    const asked = new URLSearchParams({
      response_type: 'code',
      client_id: 'desktop',
      redirect_uri: 'http://127.0.0.1:5555/callback',
      state: 'state-of-the-test',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      resource: 'https://mcp.example.test/v2/mcp',
    });
    await fetch(`${stage.issuer}/oauth/authorize?${asked}`, { redirect: 'manual' });

    const { page, violations } = await stage.enter('owner', '/flows?status=failed');
    await page.getByRole('link', { name: 'Desktop' }).click();
    await page.getByText('https://mcp.example.test/v2/mcp').first().waitFor();
    expect(await page.locator('mark').textContent()).toBe('v2/');
    await page.getByRole('button', { name: 'Add alias' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Add alias' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Add alias' }).waitFor({ state: 'detached' });
    const { aliases } = await stage.api('GET', '/resources/notes');
    expect(aliases).toContain('https://mcp.example.test/v2/mcp');
    expect(violations).toEqual([]);
    await page.context().close();
  });

  test('exports the audit log that it shows', async () => {
    const { page } = await stage.enter('owner', '/audit?type=user_login');
    await page.getByRole('button', { name: 'Export' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: /CSV/ }).click();
    expect((await download).url()).toBe(
      `${stage.adminUrl}/admin/api/audit/export?format=csv&type=user_login`,
    );
    await page.context().close();
  });

  test('gives a viewer nothing to change with', async () => {
    const { page } = await stage.enter('viewer');
    for (const path of ['/clients', '/clients/boards', '/users', '/resources/boards', '/keys']) {
      await page.goto(stage.url(path));
      await loaded(page);
      const names = /^(Create|Add|Make|Register|Edit|Rotate|Withdraw|Revoke|More actions|Select)\b/;
      expect(await page.getByRole('button', { name: names }).count(), path).toBe(0);
      expect(await page.getByRole('checkbox', { name: names }).count(), path).toBe(0);
    }
    await page.context().close();
  });
});

/** A page takes a moment to follow another colour scheme or another width. */
const settles = { timeout: 5000 };

describe('every page', () => {
  let page: Page;
  let violations: string[];
  let ids: Readonly<Record<string, string>>;

  beforeAll(async () => {
    ids = await seedConsole(stage);
    ({ page, violations } = await stage.enter('owner'));
  });
  afterAll(() => page?.context().close());

  test.each(everyPage)(
    '%s: accessible in light and dark, fits 320 pixels, breaks no rule',
    async (path) => {
      await page.emulateMedia({ colorScheme: 'light' });
      const address = path.replace(/:(\w+)/, (_, name: string) => ids[name] ?? name);
      await page.goto(stage.url(address));
      await loaded(page);
      expect(await page.getByRole('alert').allTextContents()).toEqual([]);
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.locator('html[data-mantine-color-scheme=dark]').waitFor();
      await expect.poll(() => accessibilityProblems(page, ['color-contrast']), settles).toEqual([]);
      await page.setViewportSize({ width: 320, height: 700 });
      await expect.poll(() => overflows(page), settles).toBe(false);
      await page.setViewportSize({ width: 1280, height: 900 });
      expect(violations).toEqual([]);
    },
  );
});

describe('names that strangers choose', () => {
  const hostile = [
    '<img src=x onerror="document.title=\'pwned\'"><script>document.title="pwned"</script>',
    '\u202egnirts desrever\u202c \u200b\u2066',
    '\u{1F469}\u200d\u{1F680}\u{1F3F4}\u200d\u2620\ufe0f'.repeat(20),
    'x'.repeat(10_000),
  ];

  test('are shown inert, stay in their place and break no rule of the page', async () => {
    for (const name of hostile) await register(name);
    const { page, violations } = await stage.enter('owner', '/clients?kind=dcr');
    const links = page.locator('[data-row-link]');
    await links.first().waitFor();
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.locator('main').textContent()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    for (let index = 0; index < (await links.count()); index += 1) {
      await links.nth(index).click();
      await page.getByRole('tab', { name: 'About' }).waitFor();
      expect(await overflows(page)).toBe(false);
      expect(await page.title()).not.toBe('pwned');
      await page.goBack();
      await links.first().waitFor();
    }
    expect(violations).toEqual([]);
    await page.context().close();
  });

  /** Names that are too long are refused; those that are taken have to be shown. */
  async function register(name: string): Promise<void> {
    await fetch(`${stage.issuer}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: name,
        redirect_uris: ['http://127.0.0.1/callback'],
        token_endpoint_auth_method: 'none',
      }),
    });
  }
});
