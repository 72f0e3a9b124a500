import { type Browser, readForm } from './browser.testing.ts';
import { isConsent, isSignIn, type Page, press, typed } from './people.testing.ts';
import { alice, rs1, type TestServer } from './server.testing.ts';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** What a device is told (RFC 8628 §3.2). */
export interface Device {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
  interval: number;
}

/** Makes the clients DEV (public) and ONCE (without refresh tokens). */
export async function makeDeviceClients(server: TestServer): Promise<void> {
  const by = { actor: { kind: 'cli' as const }, meta: { at: new Date() } };
  const grants = { DEV: [deviceGrant, 'refresh_token'], ONCE: [deviceGrant] };
  for (const [client_id, grant_types] of Object.entries(grants)) {
    const client_name = `Terminal ${client_id}`;
    const declared = { client_id, client_name, grant_types, token_endpoint_auth_method: 'none' };
    await server.app.rooms.clients.create(declared, 'cli', by);
  }
}

/** Sends a device authorization request as it is; an undefined parameter is left out. */
export function sendDevice(
  server: TestServer,
  changes: Record<string, string | string[] | undefined> = {},
  headers?: Record<string, string>,
): Promise<Response> {
  const params = { client_id: 'DEV', scope: 'mcp:read', resource: rs1, ...changes };
  const kept = Object.entries(params).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return server.post('/oauth/device_authorization', Object.fromEntries(kept), headers);
}

/** A device that waits for its person. */
export async function startDevice(
  server: TestServer,
  changes?: Parameters<typeof sendDevice>[1],
): Promise<Device> {
  const answer = await sendDevice(server, changes);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`no device: ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** One poll of a device (RFC 8628 §3.4). */
export function poll(
  server: TestServer,
  device_code: string,
  changes: Record<string, string> = {},
  headers?: Record<string, string>,
): Promise<Response> {
  const form = { grant_type: deviceGrant, device_code, client_id: 'DEV', ...changes };
  return server.post('/oauth/token', form, headers);
}

/** Types a code on the device page. */
export async function typeCode(
  server: TestServer,
  browser: Browser,
  user_code: string,
): Promise<Page> {
  return press(browser, await browser.open(`${server.url}/device`), [['user_code', user_code]]);
}

/** Types the code, signs in where asked, decides. */
export async function decide(
  server: TestServer,
  { user_code }: Pick<Device, 'user_code'>,
  {
    browser = server.browser(),
    person = alice,
    decision = 'approve',
  }: { browser?: Browser; person?: typeof alice; decision?: string } = {},
): Promise<Page> {
  let page = await typeCode(server, browser, user_code);
  if (isSignIn(page)) page = await press(browser, page, typed(person));
  if (!isConsent(page)) throw new Error(`no consent: ${page.url} ${page.html.slice(0, 2000)}`);
  return press(browser, page, [['decision', decision]]);
}

/** Whether the page asks for a code. */
export function asksForCode({ html }: { html: string }): boolean {
  return readForm(html).action.endsWith('/device') && html.includes('name="user_code"');
}
