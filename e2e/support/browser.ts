import { execFile } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AxeBuilder } from '@axe-core/playwright';
import sparticuz, { inflate, setupLambdaEnvironment } from '@sparticuz/chromium';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';

export const emailField = 'input[name=username]';
export const approveButton = 'button[name=decision][value=approve]';

/** Flags of the packaged Chromium that would make it less strict than a person's browser. */
const lenient = [
  '--single-process',
  '--no-zygote',
  '--disable-web-security',
  '--allow-running-insecure-content',
  '--disable-site-isolation-trials',
  '--headless',
];

/**
 * Starts a real Chromium that came with npm; nothing is installed on the computer.
 * @param hosts names that shall lead to this computer, for redirects to https hosts of a test
 */
export async function launchBrowser(hosts: readonly string[] = []): Promise<Browser> {
  const executablePath = await sparticuz.executablePath();
  await provideLibraries(executablePath);
  const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(',');
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      ...sparticuz.args.filter((flag) => !lenient.some((name) => flag.startsWith(name))),
      '--disable-background-networking',
      ...(rules ? [`--host-resolver-rules=${rules}`] : []),
    ],
  });
}

/** A bare machine lacks Chromium's shared libraries: the package brings them along. */
async function provideLibraries(executablePath: string): Promise<void> {
  const { stdout } = await promisify(execFile)('ldd', [executablePath]);
  if (!stdout.includes('not found')) return;
  const archive = new URL(
    '../../node_modules/@sparticuz/chromium/bin/al2023.tar.br',
    import.meta.url,
  );
  await inflate(fileURLToPath(archive));
  setupLambdaEnvironment(join(tmpdir(), 'al2023', 'lib'));
}

/** A page with the CSP violations that happened on it so far. */
export type WatchedPage = { page: Page; violations: string[] };

/** A fresh browser profile of somebody, with one page. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<WatchedPage & { context: BrowserContext }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  context.setDefaultTimeout(20_000);
  return { context, ...(await openTab(context)) };
}

export async function openTab(context: BrowserContext): Promise<WatchedPage> {
  const page = await context.newPage();
  const violations: string[] = [];
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) violations.push(message.text());
  });
  return { page, violations };
}

export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.locator('input[name=username]').fill(email);
  await page.locator('input[name=password]').fill(password);
  await page.locator('input[name=password]').press('Enter');
}

export async function decide(page: Page, decision: 'approve' | 'deny'): Promise<void> {
  await page.locator(`button[name=decision][value=${decision}]`).click({ noWaitAfter: true });
}

/** Presses Tab until the element that `selector` names has the focus, as a keyboard user does. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    if ((await page.locator(`${selector}:focus`).count()) === 1) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`The keyboard does not reach ${selector} on ${page.url()}`);
}

/**
 * What axe finds on the page as it is now: one line per rule, empty when all is well.
 * @param rules only these rules of axe; all by default
 */
export async function accessibilityProblems(page: Page, rules?: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ html }) => html).join(' | ')})`,
  );
}

/** Whether something sticks out of the page to the right, so that one would have to scroll. */
export async function overflows(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  );
}

/** All words of the page, in the order of the page. */
export async function wordsOf(page: Page): Promise<string> {
  return (await page.locator('body').textContent()) ?? '';
}

/** Where the screenshots of this run go; `E2E_SCREENSHOTS` names a directory to keep them in. */
export async function screenshotDirectory(): Promise<string> {
  const wanted = process.env.E2E_SCREENSHOTS;
  if (wanted === undefined) return mkdtemp(join(tmpdir(), 'authserver-screenshots-'));
  await mkdir(wanted, { recursive: true });
  return wanted;
}
