import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type App, createApp } from '../app.ts';
import { loadConfig } from '../config/index.ts';
import { testDatabase } from '../db/database.testing.ts';
import { type Browser, createBrowser, readForm } from './browser.testing.ts';
import { authorizeUrl, type Flow } from './flow.testing.ts';
import { alice, encode, type TestServer } from './server.testing.ts';

/** A page in a browser. */
export type Page = Awaited<ReturnType<Browser['open']>>;

/** Presses a button of the page's form, its hidden fields and ticked boxes sent along. */
export function press(
  browser: Browser,
  page: Page,
  fields: [string, string][],
  headers?: Record<string, string>,
): Promise<Page> {
  const form = readForm(page.html);
  return browser.submit(form.action, [...form.fields, ...fields], headers);
}

/** What a person types on the sign-in page. */
export function typed(person: typeof alice): [string, string][] {
  return [
    ['username', person.email],
    ['password', person.password],
  ];
}

/** A browser in which somebody is signed in. */
export async function signedIn(server: TestServer, person = alice): Promise<Browser> {
  const browser = server.browser();
  await press(browser, await browser.open(`${server.url}/account`), typed(person));
  if (!(await isSignedIn(server, browser))) throw new Error(`${person.email} did not get in`);
  return browser;
}

/** Whether the account page opens. */
export async function isSignedIn(server: TestServer, browser: Browser): Promise<boolean> {
  const { status } = await browser.send(`${server.url}/account`);
  return status === 200;
}

/** The consent page of a request, by somebody who has just signed in unless the browser is given. */
export async function openConsent(
  server: TestServer,
  flow: Flow,
  { browser, person = alice }: { browser?: Browser; person?: typeof alice } = {},
) {
  const own = browser ?? (await signedIn(server, person));
  const page = await own.open(authorizeUrl(server, flow));
  if (!isConsent(page)) throw new Error(`no consent page: ${page.url} ${page.html.slice(0, 2000)}`);
  return { browser: own, page };
}

export function isConsent({ html }: { html: string }): boolean {
  return /<form[^>]*action="[^"]*\/consent\//.test(html);
}

export function isSignIn({ html }: { html: string }): boolean {
  return /<form[^>]*action="[^"]*\/login\//.test(html);
}

/** What came back to the client's redirect URI. */
export function answerOf({ url }: { url: string }): URLSearchParams {
  return new URL(url).searchParams;
}

/** Registers a client as anybody can (RFC 7591). */
export async function selfRegistered(server: TestServer, metadata: object): Promise<string> {
  const response = await fetch(`${server.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`not registered: ${text}`);
  const { client_id }: { client_id: string } = JSON.parse(text);
  return client_id;
}

/** A browser with a copy of another's cookies: what a thief has. */
export function copyOf(server: TestServer, { jar }: Browser): Browser {
  const copy = server.browser();
  for (const [name, value] of jar) copy.jar.set(name, value);
  return copy;
}

/** How many rows a table has. */
export async function count(server: TestServer, table: 'grants' | 'sessions'): Promise<number> {
  return (await server.db.kysely.selectFrom(table).select('id').execute()).length;
}

/**
 * The server with a configuration of the test's own, reached over plain HTTP whatever its issuer, as
 * from behind a proxy that ends TLS.
 */
export async function startConfigured(
  yaml: (place: { url: string; directory: string }) => string,
  { issuer }: { issuer?: string } = {},
): Promise<TestServer & { direct: string }> {
  let handler: ReturnType<App['public']['callback']> | undefined;
  const server = createServer((req, res) => handler?.(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  const direct = `http://localhost:${typeof address === 'object' ? address?.port : ''}`;
  const url = issuer ?? direct;
  const directory = mkdtempSync(join(tmpdir(), 'authserver-test-'));
  const file = join(directory, 'config.yaml');
  writeFileSync(file, yaml({ url, directory }));
  const { config } = loadConfig({ file, env: {}, cwd: directory });
  let offset = 0;
  const now = () => new Date(Date.now() + offset * 1000);
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const db = await testDatabase();
  const app = await createApp(config, { log, now, db });
  handler = app.public.callback();
  return {
    ...{ app, db, url, direct, now },
    advance(seconds) {
      offset += seconds;
    },
    browser: () => createBrowser(direct),
    post: (path, form, headers = {}) =>
      fetch(`${direct}${path}`, { method: 'POST', body: encode(form), headers }),
    logged: () => lines.join(''),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await app.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
