import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import { hashId } from '../db/index.ts';
import { grantTypes, tokenTypes } from '../oauth/index.ts';
import { newWorkspaceCredential } from '../tokens/index.ts';
import { basic } from './answers.testing.ts';
import { alice, bob, type TestServer, webSecret } from './server.testing.ts';
import { ofRequests } from './statements.testing.ts';
import {
  introspect,
  leave,
  memberOf,
  policy,
  spaces,
  startWorkspaces,
  userId,
  vault,
  workspaceId,
} from './workspaces.testing.ts';

let server: TestServer;
let acme: string;
const statements: string[] = [];
beforeAll(async () => {
  const db = await testDatabase({ onQuery: ({ name }) => statements.push(name) });
  server = await startWorkspaces({ db });
  await server.app.scheduler.stop(); // its statements would be counted too
  acme = await workspaceId(server, 'acme');
});
beforeEach(async () => {
  await server.db.kysely.deleteFrom('issuances').execute();
  await memberOf(server, alice, { acme: 'admin', beta: 'admin' });
  await memberOf(server, bob, { acme: 'member' });
});
afterAll(() => server.close());

const credentials = () => server.app.rooms.tokens.credentials;
const meta = () => ({ at: server.now() });

function resourceOf(uri: string) {
  const found = server.app.rooms.resources.resolve(uri);
  if (!found) throw new Error(`no resource ${uri}`);
  return found;
}

/** The default credential of Acme at a resource, made by Alice. */
async function regenerated(uri = spaces, slug = 'acme') {
  return credentials().regenerateDefault({
    ...{ workspaceId: await workspaceId(server, slug), resource: resourceOf(uri), meta: meta() },
    by: { id: await userId(server, alice) },
  });
}

/** One of Bob, who is no admin. */
async function ofBob(label = 'Laptop') {
  const request = { workspaceId: acme, resource: resourceOf(spaces), label, meta: meta() };
  return credentials().create({ ...request, userId: await userId(server, bob) });
}

const introspectAs = async (client: string, token: string): Promise<unknown> =>
  (await server.post('/oauth/introspect', { token }, basic(client, webSecret))).json();

const inactive = { active: false };
const isActive = async (token: string) => (await introspect(server, token)).active;

/** What is sent to the database while a token is introspected. */
async function during(token: string): Promise<string[]> {
  await introspect(server, 'warm');
  statements.length = 0;
  await introspect(server, token);
  return ofRequests(statements);
}

/** The same credential with another character at a place that is counted from the end. */
function altered(credential: string, fromEnd: number): string {
  const at = credential.length - fromEnd;
  const other = credential[at] === 'x' ? 'y' : 'x';
  return credential.slice(0, at) + other + credential.slice(at + 1);
}

const auditOf = async (type: string) =>
  (
    await server.db.kysely
      .selectFrom('audit_events')
      .selectAll()
      .where('type', '=', type)
      .orderBy('id')
      .execute()
  ).slice(-2);

describe('introspection', () => {
  it('answers the workspace, the member and what they may do, and no expiry', async () => {
    const { credential } = await regenerated();
    const answer = await introspect(server, credential);
    expect(answer).toEqual({
      ...{ active: true, iss: server.url, aud: spaces, sub: await userId(server, alice) },
      ...{ username: alice.email, scope: 's:use s:admin', token_type: 'Bearer' },
      ...{ workspace_id: acme, ws: 'acme', ws_name: 'Acme Inc.', ws_role: 'admin' },
      ...{ iat: expect.any(Number), jti: hashId(credential) },
    });
    expect(answer).not.toHaveProperty('exp');
    expect(answer).not.toHaveProperty('client_id');
  });

  it('MUST cost one indexed read, and a write at most once a minute', async () => {
    const { credential } = await regenerated();
    expect(await during(credential)).toEqual([
      'authserver_read_issuance',
      'authserver_touch_workspace_credential',
    ]);
    expect(await during(credential)).toEqual(['authserver_read_issuance']);
  });

  it('MUST be answered to the clients of its resource only', async () => {
    const { credential } = await regenerated(vault);
    expect(await introspectAs('RS1', credential)).toMatchObject({ active: true, aud: vault });
    for (const stranger of ['TOOL', 'WEB', 'WEB2']) {
      expect(await introspectAs(stranger, credential)).toEqual(inactive);
    }
    const open = await server.post('/oauth/introspect', { token: credential, client_id: 'PUB' });
    expect(open.status).toBe(401);
  });

  it('a wrong checksum MUST be refused without a read, and a guess without a write', async () => {
    const { credential, id } = await regenerated();
    for (const typo of [altered(credential, 1), altered(credential, 20), altered(credential, 60)]) {
      expect(await introspect(server, typo)).toEqual(inactive);
      expect(await during(typo)).toEqual([]);
    }
    const guesses = Array.from({ length: 20 }, () => `${id}.${crypto.randomUUID()}`);
    for (const guess of guesses) expect(await during(guess)).toEqual([]);
    expect(await during(newWorkspaceCredential().value)).toEqual(['authserver_read_issuance']);
  });

  it.each<[string, (credential: string) => string]>([
    ['cut off', (value) => value.slice(0, -1)],
    ['extended', (value) => `${value}0`],
    ['in capitals', (value) => value.toUpperCase()],
    ['with a space behind it', (value) => `${value} `],
    ['with a line break behind it', (value) => `${value}\n`],
    ['without its id', (value) => value.slice(value.indexOf('.') + 1)],
    ['without its secret', (value) => value.slice(0, value.indexOf('.') + 1)],
    ['with two dots', (value) => value.replace('.', '..')],
    ['with a third part', (value) => `${value}.x`],
  ])('a credential %s MUST be inactive (TK07)', async (_what, change) => {
    const { credential } = await regenerated();
    expect(await introspect(server, change(credential))).toEqual(inactive);
    expect(await isActive(credential)).toBe(true);
  });

  it('another credential’s id before the secret MUST make it inactive', async () => {
    const [mine, other] = [await regenerated(), await regenerated(vault)];
    const swapped = other.id + mine.credential.slice(mine.id.length);
    expect(await introspect(server, swapped)).toEqual(inactive);
  });

  it('tells when and from where it was used', async () => {
    const { credential, id } = await regenerated();
    expect(await credentials().find(id)).not.toHaveProperty('lastUsedAt');
    await introspect(server, credential);
    await expect
      .poll(() => credentials().find(id))
      .toMatchObject({ lastUsedAt: expect.any(Date), lastUsedIp: '127.0.0.1' });
  });

  it('an unbound client’s look MUST NOT count as a use', async () => {
    const { credential, id } = await regenerated();
    await introspectAs('WEB2', credential);
    expect(await credentials().find(id)).not.toHaveProperty('lastUsedAt');
  });
});

describe('what it may do', () => {
  it('MUST follow the role of its member as it is now', async () => {
    const { credential } = await regenerated();
    const member = { workspaceId: acme, userId: await userId(server, alice) };
    await server.app.rooms.workspaces.setRole({ ...member, role: 'member' }, meta());
    expect(await introspect(server, credential)).toMatchObject({ active: true, scope: 's:use' });
    await server.app.rooms.workspaces.setRole({ ...member, role: 'admin' }, meta());
    expect(await introspect(server, credential)).toMatchObject({ scope: 's:use s:admin' });
  });

  it('MUST be nothing where DPoP is required now, and everything again later', async () => {
    const { credential } = await regenerated();
    const set = async (dpop: 'required' | 'supported') => {
      const rows = server.db.kysely.updateTable('resources').set({ dpop });
      await rows.where('uri', '=', spaces).execute();
      await server.app.rooms.resources.reload();
    };
    await set('required');
    try {
      expect(await introspect(server, credential)).toEqual(inactive);
      await expect(regenerated()).rejects.toThrow('bound to a key');
    } finally {
      await set('supported');
    }
    expect(await isActive(credential)).toBe(true);
  });

  it('MUST be nothing once the resource knows no workspaces any more', async () => {
    const { credential } = await regenerated();
    const set = async (workspace_scoped: boolean) => {
      const rows = server.db.kysely.updateTable('resources').set({ workspace_scoped });
      await rows.where('uri', '=', spaces).execute();
      await server.app.rooms.resources.reload();
    };
    await set(false);
    try {
      expect(await introspect(server, credential)).toEqual(inactive);
    } finally {
      await set(true);
    }
  });
});

describe('its end', () => {
  it('a new default MUST end the one before it, and nothing else', async () => {
    const first = await regenerated();
    const others = [await ofBob(), await regenerated(vault), await regenerated(spaces, 'beta')].map(
      ({ credential }) => credential,
    );
    const second = await regenerated();
    expect(await introspect(server, first.credential)).toEqual(inactive);
    for (const live of [second.credential, ...others]) expect(await isActive(live)).toBe(true);
  });

  it('never comes by itself', async () => {
    const { credential } = await regenerated();
    server.advance(20 * 365 * 86_400);
    try {
      expect(await isActive(credential)).toBe(true);
    } finally {
      server.advance(-20 * 365 * 86_400);
    }
  });

  it('MUST come with the membership, also for who comes back', async () => {
    const { credential } = await ofBob();
    const admins = await regenerated();
    await leave(server, bob, 'acme');
    expect(await introspect(server, credential)).toEqual(inactive);
    await memberOf(server, bob, { acme: 'member' });
    expect(await introspect(server, credential)).toEqual(inactive);
    expect(await isActive(admins.credential)).toBe(true);
  });

  it('MUST come with its account, also when that is enabled again', async () => {
    const { credential } = await ofBob();
    const { accounts } = server.app.rooms;
    const id = await userId(server, bob);
    await accounts.disable(id, meta());
    expect(await introspect(server, credential)).toEqual(inactive);
    await expect(ofBob()).rejects.toThrow('disabled');
    await accounts.enable(id, meta());
    expect(await introspect(server, credential)).toEqual(inactive);
    expect(await isActive((await ofBob()).credential)).toBe(true);
  });

  it('MUST come with its workspace', async () => {
    const by = { ...meta(), actor: { kind: 'cli' as const } };
    const { workspaces } = server.app.rooms;
    const made = await workspaces.create({ slug: 'soon-gone', source: 'cli' }, by);
    const who = { id: await userId(server, alice) };
    const member = { workspaceId: made.id, role: 'admin', source: 'cli' } as const;
    await workspaces.addMember({ ...member, who }, by);
    const { credential } = await regenerated(spaces, 'soon-gone');
    expect(await isActive(credential)).toBe(true);
    await server.db.kysely.deleteFrom('workspaces').where('id', '=', made.id).execute();
    expect(await introspect(server, credential)).toEqual(inactive);
  });

  it('MUST last as long as its resource is disabled', async () => {
    const { credential } = await regenerated();
    const set = async (enabled: boolean) => {
      const rows = server.db.kysely.updateTable('resources').set({ enabled });
      await rows.where('uri', '=', spaces).execute();
      await server.app.rooms.resources.reload();
    };
    await set(false);
    try {
      expect(await introspect(server, credential)).toEqual(inactive);
    } finally {
      await set(true);
    }
  });

  it('a bound client MAY report it as leaked (RFC 7009), and no other client', async () => {
    const { credential, id } = await regenerated(vault);
    const revoke = (client: string) =>
      server.post('/oauth/revoke', { token: credential }, basic(client, webSecret));
    for (const stranger of ['TOOL', 'WEB2']) {
      await (await revoke(stranger)).arrayBuffer();
      expect(await isActive(credential)).toBe(true);
    }
    expect((await revoke('RS1')).status).toBe(200);
    expect(await introspect(server, credential)).toEqual(inactive);
    expect((await revoke('RS1')).status).toBe(200);
    const [event, ...none] = (await auditOf('credential_revoked')).filter(
      ({ detail }) => detail.credential_id === id,
    );
    expect(none).toEqual([]);
    expect(event).toMatchObject({
      ...{ actor_kind: 'client', actor_id: 'RS1', client_id: 'RS1', resource: vault },
      ...{ user_id: await userId(server, alice) },
      detail: { reason: 'revocation_request', kind: 'default', workspace_id: acme },
    });
  });
});

describe('token exchange', () => {
  const exchange = (token: string, form: Record<string, string> = {}) =>
    server.post(
      '/oauth/token',
      {
        ...{ grant_type: grantTypes.tokenExchange, subject_token: token },
        ...{ subject_token_type: tokenTypes.accessToken, ...form },
      },
      basic('TOOL', webSecret),
    );
  const exchanged = async (token: string, form: Record<string, string> = {}) => {
    const answer = await exchange(token, form);
    const body: { access_token: string } = JSON.parse(await answer.text());
    if (answer.status !== 200) throw new Error(JSON.stringify(body));
    return body.access_token;
  };

  it('gives a narrower token that expires and keeps the workspace', async () => {
    const { credential } = await regenerated();
    const token = await exchanged(credential, { scope: 's:use' });
    expect(await introspect(server, token)).toMatchObject({
      ...{ active: true, workspace_id: acme, scope: 's:use', aud: spaces },
      ...{ sub: await userId(server, alice), exp: expect.any(Number) },
    });
    const other = await exchanged(credential, { resource: policy, scope: 'p:use' });
    expect(await introspect(server, other)).toMatchObject({ workspace_id: acme, aud: policy });
  });

  it('MUST NOT give more than its member may do', async () => {
    const { credential } = await ofBob();
    const answer = await exchange(credential, { scope: 's:admin' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: 'invalid_scope' });
  });

  it('what was exchanged from it MUST end with it', async () => {
    const { credential } = await regenerated();
    const token = await exchanged(credential, { scope: 's:use' });
    await regenerated();
    expect(await introspect(server, token)).toEqual(inactive);
    expect((await exchange(credential)).status).toBe(400);
  });

  it('MUST NOT take a credential as the actor', async () => {
    const { credential } = await regenerated();
    const answer = await exchange(credential, {
      ...{ actor_token: credential, actor_token_type: tokenTypes.accessToken },
    });
    expect(answer.status).toBe(400);
  });
});

describe('what is kept', () => {
  it('MUST be the hash only, in tables, audit log and log lines', async () => {
    const { credential, id } = await regenerated();
    await introspect(server, credential);
    await server.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: credential });
    await fetch(`${server.url}/oauth/authorize?state=${credential}&client_id=${credential}`);
    await fetch(`${server.url}/nowhere/${credential}`);
    const secret = credential.slice(id.length + 1);
    const rows = await Promise.all(
      (['issuances', 'workspace_credentials', 'audit_events', 'flows'] as const).map((table) =>
        server.db.kysely.selectFrom(table).selectAll().execute(),
      ),
    );
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(JSON.stringify(rows)).toContain(hashId(credential));
    expect(server.logged()).not.toContain(secret);
  });

  it('audit events say who made it and who ended it, under its id', async () => {
    const first = await regenerated();
    await regenerated();
    const actor = { actor_kind: 'user', actor_id: await userId(server, alice) };
    const [created] = await auditOf('credential_created');
    expect(created).toMatchObject({
      ...{ ...actor, user_id: actor.actor_id, resource: spaces },
      detail: {
        ...{ credential_id: first.id, kind: 'default', label: 'Default', workspace_id: acme },
        ...{ scope: 's:use s:admin', jti: hashId(first.credential) },
      },
    });
    expect((await auditOf('credential_revoked')).at(-1)).toMatchObject({
      ...actor,
      detail: { credential_id: first.id, kind: 'default', reason: 'regenerated' },
    });
  });
});
