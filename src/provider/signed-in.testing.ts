import { type Browser, readForm } from './browser.testing.ts';
import { authorizeUrl, type Flow } from './flow.testing.ts';
import { alice, type TestServer } from './server.testing.ts';

/**
 * Opens an authorization as alice, signing in where asked, and stops there: at the consent page
 * (`asks`), at an error page, or back at the client.
 */
export async function openSignedIn(
  server: TestServer,
  flow: Flow,
  browser: Browser = server.browser(),
  headers: Record<string, string> = {},
) {
  let page = await browser.open(authorizeUrl(server, flow), { headers });
  if (page.url.includes('/login/')) {
    const { action, fields } = readForm(page.html);
    page = await browser.submit(action, [
      ...fields,
      ['username', alice.email],
      ['password', alice.password],
    ]);
  }
  return { ...page, browser, asks: page.url.includes('/consent/') };
}

/** Opens an authorization without signing in. */
export async function open(server: TestServer, flow: Flow, init?: RequestInit) {
  const response = await server.browser().send(authorizeUrl(server, flow), init);
  return answered(response);
}

/** What a browser sees of an answer that it does not follow. */
export async function answered(response: Response) {
  return {
    status: response.status,
    location: response.headers.get('location'),
    html: await response.text(),
    headers: response.headers,
  };
}

/** The text of a page without what differs from request to request. */
export function withoutTrace(html: string): string {
  return html.replace(/<code>[0-9A-HJKMNP-TV-Z]{10}<\/code>/g, '');
}
