import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openPage, signIn } from './browser.ts';
import { openStage, type Stage } from './stage.ts';

/** `workspace`: who has no role, but is an admin of the workspace Acme. */
export type Role = 'owner' | 'operator' | 'viewer' | 'workspace';

/** A resource whose tokens are for one workspace. */
export const files = 'https://files.example.com/mcp';

/** A running server with an administration, people who may look into it, and a Chromium. */
export type ConsoleStage = Stage & {
  browser: Browser;
  apiKey: string;
  people: Record<Role, { email: string; password: string }>;
  /** Address of a page of the console. */
  url(path: string): string;
  /** A fresh browser of somebody who is signed in, on the page that they asked for. */
  enter(role: Role, path?: string): Promise<{ page: Page; violations: string[] }>;
  /** Calls the admin API as a program; throws unless it says yes. */
  api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
};

export async function openConsoleStage(): Promise<ConsoleStage> {
  const apiKey = 'admin-api-key-for-the-tests-0123456789';
  const password = 'a long password for the tests';
  const people = {
    owner: { email: 'owner@example.com', password },
    operator: { email: 'operator@example.com', password },
    viewer: { email: 'viewer@example.com', password },
    workspace: { email: 'wanda@example.com', password },
  };
  const stage = await openStage({
    people: [
      { ...people.owner, name: 'Olga Owner', role: 'owner' },
      { ...people.operator, name: 'Otto Operator', role: 'operator' },
      { ...people.viewer, name: 'Vera Viewer', role: 'viewer' },
      { ...people.workspace, name: 'Wanda', workspaces: [{ slug: 'acme', role: 'admin' }] },
    ],
    admin: { api_key: apiKey },
    config: {
      workspaces: [
        { slug: 'acme', name: 'Acme Inc.' },
        { slug: 'globex', name: 'Globex' },
      ],
    },
  });
  const browser = await launchBrowser();
  const url = (path: string) => `${stage.adminUrl}/admin/ui${path}`;

  async function enter(role: Role, path = '/') {
    const { page, violations } = await openPage(browser, {
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
    });
    await page.goto(url(path));
    await signIn(page, people[role].email, people[role].password);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForURL((address) => address.pathname.startsWith('/admin/ui/'));
    return { page, violations };
  }

  async function api(method: string, path: string, body?: unknown) {
    const response = await fetch(`${stage.adminUrl}/admin/api${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: Record<string, unknown> = JSON.parse(await response.text());
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async function close(): Promise<void> {
    await browser.close();
    await stage.close();
  }

  return { ...stage, browser, apiKey, people, url, enter, api, close };
}
