import { expect, it } from 'vitest';
import { newLink } from './api/reconnect.testing.ts';
import { endEverything } from './end-everything.ts';
import { signedIn } from './provider/people.testing.ts';
import { alice } from './provider/server.testing.ts';
import {
  formTo,
  linkOn,
  send,
  stranger,
  workspaceUrl,
} from './provider/workspace-pages.testing.ts';
import { memberOf, startWorkspaces } from './provider/workspaces.testing.ts';

it('links of workspaces from before MUST be worthless, whatever was revoked since (R29)', async () => {
  const server = await startWorkspaces();
  try {
    await memberOf(server, alice, { acme: 'admin' });
    const browser = await signedIn(server);
    const { html } = await browser.open(workspaceUrl(server, 'acme'));
    const made = await send(browser, formTo(html, '/acme/invitations'), {
      ...{ email: 'new@example.test', role: 'admin' },
    });
    const invitation = linkOn(made.html);
    const again = await newLink(server, { body: { resource: 'https://spaces.test/mcp' } });
    expect((await stranger(server).open(invitation)).response.status).toBe(200);
    expect((await browser.open(again)).response.status).toBe(200);

    await server.db.kysely.transaction().execute((trx) => endEverything(trx, server.now()));

    expect((await stranger(server).open(invitation)).response.status).toBe(404);
    expect((await (await signedIn(server)).open(again)).response.status).toBe(404);
  } finally {
    await server.close();
  }
});
