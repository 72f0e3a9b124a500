import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  pressProvider,
  type RealIdp,
  signInElsewhere,
  signInThere,
  startRealIdp,
} from '../provider/federation-idp.testing.ts';
import { identityOf, providersYaml } from '../provider/federation-setup.testing.ts';
import type { TestServer } from '../provider/server.testing.ts';
import { startWorkspaces, workspaceId } from '../provider/workspaces.testing.ts';
import { asks, confirm, newLink, tokenOn } from './reconnect.testing.ts';

let idp: RealIdp;
let server: TestServer;
beforeAll(async () => {
  idp = await startRealIdp();
  server = await startWorkspaces({
    extra: providersYaml({ slug: 'company', issuer: idp.issuer, scopes: ['openid', 'email'] }),
  });
  await idp.serve([`${server.url}/login/callback/company`]);
});
afterAll(async () => {
  await server.close();
  await idp.close();
});

it('a link that is opened signed out MUST be come back to from an identity provider too', async () => {
  const person = { sub: 'dora', email: 'dora@company.test', email_verified: true };
  await idp.becomes(person);
  const first = server.browser();
  await signInElsewhere(first, await first.open(`${server.url}/account/sign-in`), 'company');
  const dora = await identityOf(server, idp.issuer, 'dora');
  const member = { workspaceId: await workspaceId(server, 'acme'), role: 'member' } as const;
  await server.app.rooms.workspaces.addMember(
    { ...member, source: 'admin', who: { id: dora?.id ?? '' } },
    { at: server.now() },
  );
  const url = await newLink(server, { body: { sub: dora?.id } });
  const browser = server.browser();
  const left = await pressProvider(browser, await browser.open(url), 'company');
  const pending = await server.db.kysely.selectFrom('provider_sign_ins').selectAll().execute();
  expect(pending).toHaveLength(1);
  expect(JSON.stringify(pending)).not.toContain(url.slice(url.lastIndexOf('/') + 1));
  const back = await browser.open(await signInThere(left.url));
  expect(back.url).toBe(url);
  expect(asks(back)).toBe(true);
  expect(tokenOn(await confirm(browser, back))).toBeDefined();
});
