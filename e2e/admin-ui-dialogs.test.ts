import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityProblems, overflows } from './support/browser.ts';
import { type ConsoleStage, openConsoleStage } from './support/console.ts';
import { seedConsole } from './support/console-seed.ts';

let stage: ConsoleStage;
let ids: Readonly<Record<string, string>>;
let page: Page;
let violations: string[];

beforeAll(async () => {
  stage = await openConsoleStage();
  ids = await seedConsole(stage);
  ({ page, violations } = await stage.enter('owner'));
});
afterAll(async () => {
  await page?.context().close();
  await stage?.close();
});

/** The page, and what is pressed there: a button, or an entry of its menu. */
const dialogs: [path: string, button: string, item?: string][] = [
  ['/clients', 'Create client'],
  ['/clients/boards', 'More actions', 'Suspend'],
  ['/issuances/:issuance', 'Revoke'],
  ['/tokens', 'Make token'],
  ['/resources', 'Register MCP server'],
  ['/resources/files', 'Edit'],
  ['/resources/files', 'More actions', 'Disable'],
  ['/resources/files', 'More actions', 'Remove'],
  ['/users', 'Add person'],
  ['/users/:wanda', 'Edit'],
  ['/workspaces', 'Make workspace'],
  ['/workspaces/:acme', 'Rename'],
  ['/workspaces/:acme', 'Add member'],
  ['/workspaces/:acme', 'Remove wanda@example.com'],
  ['/workspaces/:acme', 'Invite'],
  ['/mcp-servers/:server', 'Edit'],
  ['/mcp-servers/:server', 'More actions', 'Delete'],
  ['/identity-providers', 'Add provider'],
  ['/identity-providers/:provider', 'Edit'],
  ['/identity-providers/:provider', 'More actions', 'Remove'],
  ['/trusted-issuers', 'Trust an issuer'],
  ['/trusted-issuers/:trusted', 'Edit'],
  ['/trusted-issuers/:trusted', 'More actions', 'Disable'],
  ['/keys', 'Rotate now'],
  ['/api-keys', 'Make API key'],
];

/** A page takes a moment to follow another colour scheme or another width. */
const settles = { timeout: 5000 };

describe('every dialog', () => {
  test.each(dialogs.map(([path, button, item]) => ({ path, button, item, at: item ?? button })))(
    '$path, $at: accessible in light and dark, fits 320 pixels, closes with Escape',
    async ({ path, button, item }) => {
      await page.emulateMedia({ colorScheme: 'light' });
      const address = path.replace(/:(\w+)/, (_, name: string) => ids[name] ?? name);
      await page.goto(stage.url(address));
      await page.getByRole('button', { name: button, exact: true }).first().click();
      if (item) {
        await page.getByRole('menu').waitFor();
        expect(await accessibilityProblems(page)).toEqual([]);
        await page.getByRole('menuitem', { name: item, exact: true }).click();
      }
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.locator('html[data-mantine-color-scheme=dark]').waitFor();
      await expect.poll(() => accessibilityProblems(page, ['color-contrast']), settles).toEqual([]);
      await page.setViewportSize({ width: 320, height: 700 });
      await expect.poll(() => overflows(page), settles).toBe(false);
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      expect(violations).toEqual([]);
    },
  );

  test('the menu of a phone, the palette and what one is about are accessible too', async () => {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(stage.url('/workspaces'));
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('dialog').getByRole('link', { name: 'MCP servers' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('link', { name: 'MCP servers' }).click();
    await page.getByRole('heading', { level: 1, name: 'MCP servers' }).waitFor();

    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.getByRole('combobox', { name: 'Go to' }).fill('acme');
    await page.getByRole('option', { name: /Acme Inc\.\s*workspace/ }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');

    await page.setViewportSize({ width: 1280, height: 900 });
    await page.getByRole('button', { name: /Olga Owner/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'Workspace' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(violations).toEqual([]);
  });

  test('what the server refuses stands in the dialog, with what to do', async () => {
    await page.goto(stage.url('/trusted-issuers'));
    await page.getByRole('button', { name: 'Trust an issuer' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Issuer').fill('https://assertions.example.com');
    await dialog.getByRole('button', { name: 'Trust', exact: true }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await dialog.getByRole('alert').textContent()).toMatch(/trace/);
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});
