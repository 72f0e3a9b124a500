import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityProblems, openPage, overflows, signIn } from './support/browser.ts';
import { type ConsoleStage, openConsoleStage } from './support/console.ts';
import { seedConsole } from './support/console-seed.ts';
import { startOpenMcpServer } from './support/open-mcp-server.ts';

/** Workspaces in the console: what their admins see and do, and what operators do to what they use. */

let stage: ConsoleStage;
let tickets: Awaited<ReturnType<typeof startOpenMcpServer>>;
let ids: Awaited<ReturnType<typeof seedConsole>>;

beforeAll(async () => {
  stage = await openConsoleStage();
  tickets = await startOpenMcpServer();
  ids = await seedConsole(stage, { mcpUrl: tickets.url });
});
afterAll(async () => {
  await tickets?.close();
  await stage?.close();
});

/** The open dialog, which MUST be accessible and fit a phone. */
async function dialogOf(page: Page) {
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.setViewportSize({ width: 320, height: 700 });
  expect(await overflows(page)).toBe(false);
  await page.setViewportSize({ width: 1280, height: 900 });
  return dialog;
}

describe('an admin of a workspace without a role', () => {
  test('begins at their workspace, and sees no other', async () => {
    const { page, violations } = await stage.enter('workspace');
    await page.waitForURL(stage.url(`/workspaces/${ids.acme}`));
    await page.getByRole('heading', { name: 'Acme Inc.' }).waitFor();
    const places = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
    expect(await places.allTextContents()).toEqual([
      ...['Grants', 'Issuances', 'Personal tokens', 'Workspaces', 'MCP servers'],
    ]);
    await page.getByRole('link', { name: 'Workspaces', exact: true }).first().click();
    await page.getByRole('link', { name: 'Acme Inc.' }).waitFor();
    expect(await page.locator('[data-row-link]').count()).toBe(1);

    for (const path of [`/workspaces/${ids.globex}`, '/clients', '/settings']) {
      await page.goto(stage.url(path));
      const told = page.getByRole('alert');
      await told.waitFor();
      expect(await told.textContent()).toMatch(/nothing here|not for you/);
    }
    expect(violations).toEqual([]);
    await page.context().close();
  });

  test('MUST be offered what works for them and nothing else', async () => {
    const { page } = await stage.enter('workspace');
    await page
      .getByRole('button', { name: /^Revoke the credential/ })
      .first()
      .waitFor();
    const pages = [
      `/workspaces/${ids.acme}`,
      '/workspaces',
      '/grants',
      `/mcp-servers/${ids.server}`,
    ];
    const refused: string[] = [];
    page.on('response', (answer) => {
      if (answer.status() === 403) refused.push(answer.url());
    });
    for (const path of pages) {
      await page.goto(stage.url(path), { waitUntil: 'networkidle' });
      const names = /^(Add|Make|Invite|Take back|Rename|Remove|Edit|Disable|More actions)\b/;
      expect(await page.getByRole('button', { name: names }).count(), path).toBe(0);
      expect(await page.locator('main a[href*="/users/"], main a[href*="/clients/"]').count()).toBe(
        0,
      );
      expect(await accessibilityProblems(page)).toEqual([]);
    }
    expect(refused).toEqual([]);
    await page.context().close();
  });

  test('revokes a credential, which then is gone from the list', async () => {
    const { page } = await stage.enter('workspace', `/workspaces/${ids.acme}`);
    const row = page.getByRole('row', { name: /Laptop of Wanda/ });
    await row.getByRole('button', { name: /^Revoke/ }).click();
    const dialog = await dialogOf(page);
    await dialog.getByText('Laptop of Wanda').waitFor();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await row.waitFor({ state: 'detached' });
    const { items } = await stage.api('GET', `/workspaces/${ids.acme}/credentials?status=active`);
    expect(items).toMatchObject([{ id: ids.credentialId, kind: 'default' }]);
    await page.context().close();
  });

  test('invites on the page of the workspace, and the console shows it', async () => {
    const { page } = await openPage(stage.browser);
    await page.goto(`${stage.issuer}/account/workspaces/acme`);
    await signIn(page, stage.people.workspace.email, stage.people.workspace.password);
    await page.locator('input[name=email]').fill('guest@example.com');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    await page.getByText('guest@example.com').first().waitFor();
    await page.context().close();

    const entered = await stage.enter('workspace', `/workspaces/${ids.acme}`);
    await entered.page.getByRole('row', { name: /guest@example.com/ }).waitFor();
    await entered.page.context().close();
  });
});

describe('an operator', () => {
  test('invites somebody with a link that is shown once, and takes it back', async () => {
    const { page } = await stage.enter('operator', `/workspaces/${ids.globex}`);
    await page.getByText('Nobody is a member yet.').waitFor();
    await page.getByRole('button', { name: 'Invite' }).click();
    const dialog = await dialogOf(page);
    await dialog.getByLabel('E-mail address').fill('guest@example.com');
    await dialog.getByRole('button', { name: 'Make link' }).click();
    expect(await page.getByTestId('secret').textContent()).toContain(stage.issuer);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('button', { name: /^Take back the invitation/ }).click();
    await page.getByText('No invitation is open.').waitFor();
    await page.context().close();
  });

  test('adds a member, makes them an admin, and removes them', async () => {
    const { page } = await stage.enter('operator', `/workspaces/${ids.globex}`);
    await page.getByRole('button', { name: 'Add member' }).click();
    const dialog = await dialogOf(page);
    await dialog.getByLabel('E-mail address').fill(stage.alice.email);
    await dialog.getByRole('button', { name: 'Add member' }).click();
    const role = page.getByLabel(`Role of ${stage.alice.email}`);
    await role.selectOption('admin');
    await page.getByText('The role is changed.').waitFor();
    await page.getByRole('button', { name: `Remove ${stage.alice.email}` }).click();
    await (await dialogOf(page)).getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Nobody is a member yet.').waitFor();
    await page.context().close();
  });

  test('says which clients may exchange at an MCP server, disables and deletes it', async () => {
    const { page, violations } = await stage.enter('operator', '/mcp-servers');
    await page.getByRole('row', { name: /Tickets.*Acme Inc\..*ready/ }).waitFor();
    await page.getByRole('link', { name: 'Tickets' }).click();
    await page.getByRole('link', { name: stage.people.workspace.email }).waitFor();

    await page.getByRole('button', { name: 'Edit' }).click();
    const gateway = await dialogOf(page);
    await gateway.getByLabel('client_id of each').fill('boards');
    await gateway.getByRole('button', { name: 'Save' }).click();
    await page.locator('main').getByText('boards', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Disable' }).click();
    await (await dialogOf(page)).getByRole('button', { name: 'Disable' }).click();
    await page.getByText('disabled', { exact: true }).waitFor();
    expect(await stage.api('GET', `/mcp-servers/${ids.server}`)).toMatchObject({ enabled: false });

    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    const remove = await dialogOf(page);
    await remove.getByRole('textbox').fill('Tickets');
    await remove.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'No workspace uses another MCP server yet' }).waitFor();
    expect(violations).toEqual([]);
    await page.context().close();
  });
});

describe('claims of a resource', () => {
  test('are edited as rows, and the secret of their service stays unless it is made anew', async () => {
    const { page, violations } = await stage.enter('operator', '/resources/files');
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = await dialogOf(page);
    await dialog.getByRole('button', { name: 'Add claim' }).click();
    const row = dialog.getByRole('group', { name: 'claim 4' });
    await row.getByRole('textbox', { name: 'Claim' }).fill('seats');
    await row.getByLabel('Says').selectOption('value');
    await row.getByRole('textbox', { name: 'Value' }).fill('3');
    await dialog.getByLabel('Without an answer').selectOption('skip');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('always the same: 3').waitFor();
    const { claims, claims_hook } = await stage.api('GET', '/resources/files');
    expect(claims).toEqual({
      ...{ email: 'user.email', plan: { value: 'pro' }, seats: { value: 3 } },
      'https://example.com/a': { group: 'a' },
    });
    expect(claims_hook).toMatchObject({ url: 'https://hooks.example.com/claims', timeout: 1 });
    expect(claims_hook).toMatchObject({ on_failure: 'skip' });

    await page.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByRole('button', { name: 'Make one' }).click();
    expect(await dialog.getByLabel('Secret', { exact: true }).inputValue()).toMatch(
      /^whsec_.{44}$/,
    );
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(violations).toEqual([]);
    await page.context().close();
  });
});
