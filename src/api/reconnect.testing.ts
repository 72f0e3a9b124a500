import { basic } from '../provider/answers.testing.ts';
import type { Browser } from '../provider/browser.testing.ts';
import { readForm } from '../provider/browser.testing.ts';
import { type Page, press } from '../provider/people.testing.ts';
import { type TestServer, webSecret } from '../provider/server.testing.ts';
import { workspaceId } from '../provider/workspaces.testing.ts';

export interface Asked {
  /** Slug of the workspace; `acme` unless told. */
  workspace?: string;
  client?: string;
  body?: object;
  headers?: Record<string, string>;
}

/** Asks for a link as the resource server TOOL. */
export async function askForLink(
  server: TestServer,
  { workspace = 'acme', client = 'TOOL', body, headers }: Asked = {},
): Promise<Response> {
  const id = await workspaceId(server, workspace).catch(() => workspace);
  return fetch(`${server.url}/api/workspaces/${id}/reconnect-links`, {
    method: 'POST',
    headers: {
      ...basic(client, webSecret),
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** A link that works. */
export async function newLink(server: TestServer, asked: Asked = {}): Promise<string> {
  const response = await askForLink(server, asked);
  const text = await response.text();
  if (response.status !== 201) throw new Error(`no link: ${response.status} ${text}`);
  const { url }: { url: string } = JSON.parse(text);
  return url;
}

/** Presses the button of the page behind a link. */
export function confirm(browser: Browser, page: Page): Promise<Page> {
  return press(browser, page, [['decision', 'connect']]);
}

/** The token that a page shows; undefined where it shows none. */
export function tokenOn({ html }: { html: string }): string | undefined {
  return /<textarea id="token"[^>]*>([^<]*)<\/textarea>/.exec(html)?.[1];
}

/** Whether a page asks to confirm. */
export function asks({ html }: { html: string }): boolean {
  return /\/reconnect\//.test(readForm(html).action);
}

/** What a page says, without what differs from request to request. */
export function said({ html }: { html: string }): string {
  return html
    .replace(/<code>[0-9A-HJKMNP-TV-Z]{10}<\/code>/g, '')
    .replace(/name="csrf" value="[^"]*"/g, '');
}
