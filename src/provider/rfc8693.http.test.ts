import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { testDatabase } from '../db/database.testing.ts';
import { basic, refused } from './answers.testing.ts';
import { authorize, code, good, refresh } from './flow.testing.ts';
import { register } from './registration.testing.ts';
import { bob, startServer, type TestServer, webCallback, webSecret } from './server.testing.ts';
import { ofRequests } from './statements.testing.ts';
import {
  as,
  exchange,
  exchanged,
  introspect,
  limited,
  machineToken,
  mine,
  opaque,
  partner,
  personalToken,
  src,
  startExchange,
  subjectToken,
  tokenOf,
} from './token-exchange.testing.ts';

/** RFC 8693: OAuth 2.0 Token Exchange. */

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;
const statements: string[] = [];
const twoRoundTrips = ['authserver_read_subject', 'authserver_commit_issuance'];
let server: TestServer;
let subject: string;
beforeAll(async () => {
  server = await startExchange({
    db: await testDatabase({ onQuery: ({ name }) => statements.push(name) }),
  });
  await server.app.scheduler.stop(); // its statements would be counted too
  subject = (await subjectToken(server)).access_token;
});
afterAll(() => server.close());

describe('§2.2.1 the answer', () => {
  test('has access_token, issued_token_type and token_type, says scope and lifetime, and has no refresh token', async () => {
    const answer = await exchanged(server, subject);
    expect(answer).toEqual({
      access_token: expect.stringMatching(/^ey/),
      issued_token_type: type('access_token'),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: 's:write',
    });
  });

  test('the token is about the same subject, for one resource, issued to the caller, who acts', async () => {
    const answer = await exchanged(server, subject, { form: { resource: partner } });
    const { sub, auth_time } = decodeJwt(subject);
    const claims = decodeJwt(answer.access_token);
    expect(claims).toMatchObject({ sub, auth_time, aud: partner, client_id: 'TOOL' });
    expect(claims).toMatchObject({ scope: 'p:use', act: { sub: 'TOOL' }, iss: server.url });
    expect(await introspect(server, answer.access_token, 'PARTNER')).toMatchObject({
      active: true,
      sub,
      aud: partner,
      client_id: 'TOOL',
      act: { sub: 'TOOL' },
      username: 'alice@example.test',
    });
  });

  test.each([
    ['an access_token asked for', { requested_token_type: type('access_token') }],
    ['empty parameters', { requested_token_type: '', actor_token: '', resource: '', scope: '' }],
    ['the own resource by URI', { resource: src }],
    ['in another spelling', { resource: 'HTTPS://SRC.test:443/mcp/' }],
    ['as audience', { audience: src }],
    ['by its short name', { audience: 'src' }],
    ['both, the same', { resource: src, audience: ['src', src] }],
  ])('%s', async (_what, form) => {
    const answer = await exchanged(server, subject, { form });
    expect(decodeJwt(answer.access_token)).toMatchObject({ aud: src, scope: 's:write' });
  });

  test.each([
    ['JWT for opaque', opaque, () => subject],
    ['JWT for JWT', partner, () => subject],
  ])('%s', async (_what, resource, token) => {
    const answer = await exchanged(server, token(), { form: { resource } });
    const seen = await introspect(server, answer.access_token);
    expect(seen).toMatchObject({ active: true, aud: resource, act: { sub: 'TOOL' } });
  });

  test('an opaque token is a subject too', async () => {
    const first = await exchanged(server, subject, { form: { resource: opaque } });
    expect(first.access_token).toMatch(/^op_oat_/);
    const second = await exchanged(server, first.access_token, { form: { resource: partner } });
    expect(decodeJwt(second.access_token)).toMatchObject({ aud: partner });
  });

  test('a personal access token buys only what its owner may use now', async () => {
    const { value } = await personalToken(server, ['s:read', 'both']);
    const set = async (row: { access?: string; dpop?: 'required' | 'supported' }) => {
      await server.db.kysely.updateTable('resources').set(row).where('slug', '=', 'src').execute();
      await server.app.rooms.resources.reload();
    };
    await set({ access: JSON.stringify([{ scopes: ['s:read'] }]) });
    expect((await exchanged(server, value)).scope).toBe('s:read');
    const more = await exchange(server, value, { form: { scope: 'both' } });
    await refused(more, 400, 'invalid_scope');
    await set({ access: '[]', dpop: 'required' });
    await refused(await exchange(server, value), 400, 'invalid_request');
    await set({ dpop: 'supported' });
  });

  test('a personal access token is a subject for a client that its resource is bound to', async () => {
    const { value } = await personalToken(server, ['s:read']);
    const answer = await exchanged(server, value);
    expect(decodeJwt(answer.access_token)).toMatchObject({ scope: 's:read', client_id: 'TOOL' });
    await refused(await exchange(server, value, { by: 'STRANGER' }), 400, 'invalid_request');
    const wider = await exchange(server, value, { form: { scope: 's:write' } });
    await refused(wider, 400, 'invalid_scope'); // TK12
    const { last_used_at } = await server.db.kysely
      .selectFrom('personal_access_tokens')
      .select('last_used_at')
      .executeTakeFirstOrThrow();
    expect(last_used_at).toBeInstanceOf(Date);
  });

  test('so is the token of a machine, where no user needs to consent', async () => {
    const { access_token: own } = await machineToken(server, 'MACHINE');
    const answer = await exchanged(server, own, { by: 'MACHINE', form: { resource: partner } });
    expect(decodeJwt(answer.access_token)).toMatchObject({ sub: 'MACHINE', aud: partner });
    const narrowed = await exchanged(server, own, { form: { scope: 's:read' } });
    expect(decodeJwt(narrowed.access_token)).toMatchObject({ sub: 'MACHINE', client_id: 'TOOL' });
    const seen = await introspect(server, narrowed.access_token);
    expect(seen).toMatchObject({ active: true, sub: 'MACHINE', act: { sub: 'TOOL' } });
    expect(seen.username).toBeUndefined();
    await refused(await exchange(server, own, { form: { resource: mine } }), 400, 'invalid_target');
  });

  test('it costs two round trips, and leaves one event', async () => {
    await exchanged(server, subject, { form: { resource: partner } });
    statements.length = 0;
    const answer = await exchanged(server, subject, { form: { resource: partner } });
    expect(ofRequests(statements)).toEqual(twoRoundTrips);
    const events = await server.db.kysely
      .selectFrom('audit_events')
      .selectAll()
      .where('type', 'in', ['token_exchanged', 'token_issued'])
      .orderBy('id', 'desc')
      .limit(1)
      .execute();
    expect(events).toMatchObject([
      {
        type: 'token_exchanged',
        actor_id: 'TOOL',
        user_id: decodeJwt(subject).sub,
        resource: partner,
        detail: {
          subject_jti: decodeJwt(subject).jti,
          jti: decodeJwt(answer.access_token).jti,
          chain_depth: 1,
          scope: 'p:use',
        },
      },
    ]);
  });
});

describe('who may ask', () => {
  test.each([
    ['nobody', {}, {}],
    ['a client with a wrong secret', basic('TOOL', 'wrong'), {}],
    ['a confidential client by name only', {}, { client_id: 'TOOL' }],
    ['an unknown client', basic('NOBODY', webSecret), {}],
  ])('%s MUST get 401 invalid_client (CA05)', async (_who, headers, more) => {
    const form = { grant_type: grantType, subject_token: subject, ...more };
    const answer = await server.post('/oauth/token', form, headers);
    await refused(answer, 401, 'invalid_client');
  });

  test.each([
    ['a public client', {}, { client_id: 'PUB' }],
    ['the client of the token without the grant', as('WEB'), {}],
    ['a resource server without the grant', as('RS1'), {}],
  ])('%s MUST get unauthorized_client', async (_who, headers, more) => {
    const form = {
      grant_type: grantType,
      subject_token: subject,
      subject_token_type: type('access_token'),
      ...more,
    };
    await refused(await server.post('/oauth/token', form, headers), 400, 'unauthorized_client');
  });

  test('a client that registers itself never gets the grant (threat T18)', async () => {
    const registered = await register(server, {
      redirect_uris: [webCallback],
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', grantType],
    });
    expect(registered.grant_types).toEqual(['authorization_code']);
    const headers = basic(registered.client_id, registered.client_secret ?? '');
    const answer = await exchange(server, subject, { headers });
    await refused(answer, 400, 'unauthorized_client');
  });

  test('nor does it where its row says otherwise', async () => {
    const { client_id: id, client_secret: secret } = await register(server, {
      redirect_uris: [webCallback],
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const row = server.db.kysely.updateTable('clients').where('client_id', '=', id);
    const stored = await server.db.kysely
      .selectFrom('clients')
      .select('metadata')
      .where('client_id', '=', id)
      .executeTakeFirstOrThrow();
    const metadata = JSON.stringify({ ...stored.metadata, grant_types: [grantType] });
    await row.set({ metadata }).execute();
    server.advance(2); // what is cached for a moment is forgotten
    const answer = await exchange(server, subject, { headers: basic(id, secret ?? '') });
    await refused(answer, 400, 'unauthorized_client');
  });
});

describe('§2.1 the subject', () => {
  test.each([
    ['garbage', 'garbage'],
    ['a dot', '.'],
    ['SQL', "' OR 1=1 --"],
    ['not ASCII', 'ключ🔑'],
    ['CRLF', 'a\r\nb'],
    ['100 KB', 'x'.repeat(100_000)],
    ['a JWT of 100 KB', `eyJhbGciOiJFUzI1NiJ9.${'e30'.repeat(30_000)}.x`],
    ['an opaque token that never was', `op_oat_${'0'.repeat(49)}`],
  ])('%s MUST be invalid_request (§2.2.2)', async (_what, token) => {
    await refused(await exchange(server, token), 400, 'invalid_request');
  });

  test('1 MB is refused, quickly', async () => {
    const started = performance.now();
    await refused(await exchange(server, 'x'.repeat(1024 * 1024)), 400, 'invalid_request');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test.each([
    ['none', { subject_token: undefined }],
    ['an empty one', { subject_token: '' }],
    ['two', { subject_token: ['a', 'b'] }],
    ['none of type', { subject_token_type: undefined }],
    ['an ID token', { subject_token_type: type('id_token') }],
    ['a JWT of any kind', { subject_token_type: type('jwt') }],
    ['a refresh token', { subject_token_type: type('refresh_token') }],
    ['a SAML assertion', { subject_token_type: type('saml2') }],
    ['an actor of no type', { actor_token: 'x' }],
    ['a type of no actor', { actor_token_type: type('access_token') }],
    ['an actor that is garbage', { actor_token: 'x', actor_token_type: type('access_token') }],
    ['a refresh token asked for (TX04)', { requested_token_type: type('refresh_token') }],
    ['an ID token asked for (TX04)', { requested_token_type: type('id_token') }],
    ['a JWT asked for', { requested_token_type: type('jwt') }],
  ])('%s MUST be invalid_request', async (_what, form) => {
    await refused(await exchange(server, subject, { form }), 400, 'invalid_request');
  });

  test('a refresh token, a code and a jti are no access tokens (TK04)', async () => {
    const flow = good({
      client_id: 'TOOL',
      redirect_uri: webCallback,
      resource: src,
      scope: 's:read',
    });
    const own = await tokenOf(server, 'TOOL', { resource: src, scope: 's:read' });
    const others = [own.refresh_token, await code(server, flow), String(decodeJwt(subject).jti)];
    for (const token of others) {
      await refused(await exchange(server, token), 400, 'invalid_request');
    }
    await exchanged(server, own.access_token); // and none of them was used up or revoked
    const again = { client_id: 'TOOL', redirect_uri: webCallback };
    expect((await refresh(server, own.refresh_token, again, as('TOOL'))).status).toBe(200);
  });

  test('one that was revoked, has expired, or whose person is disabled MUST be invalid_request', async () => {
    const other = await startExchange();
    try {
      const dead = await subjectToken(other);
      await other.post('/oauth/revoke', { token: dead.refresh_token, client_id: 'PUB' });
      await refused(await exchange(other, dead.access_token), 400, 'invalid_request');
      const live = await subjectToken(other);
      const users = other.db.kysely.updateTable('users');
      await users.set({ status: 'disabled' }).execute();
      await refused(await exchange(other, live.access_token), 400, 'invalid_request');
      await users.set({ status: 'active' }).execute();
      await exchanged(other, live.access_token);
      other.advance(15 * 60);
      await refused(await exchange(other, live.access_token), 400, 'invalid_request');
    } finally {
      await other.close();
    }
  });

  test('whatever is wrong with it, the caller learns the same, and the log the reason', async () => {
    const stranger = await refused(
      await exchange(server, subject, { by: 'STRANGER' }),
      400,
      'invalid_request',
    );
    const garbage = await refused(await exchange(server, 'garbage'), 400, 'invalid_request');
    expect(stranger.error_description).toBe(garbage.error_description);
    expect(server.logged()).toContain('caller_is_neither_its_client_nor_in_its_audience');
    expect(server.logged()).not.toContain(subject);
  });
});

describe('who may have which token exchanged (threat T13)', () => {
  test.each(['TOOL', 'TOOL2', 'TOOL3'])('%s is in the audience of the subject', async (by) => {
    const answer = await exchanged(server, subject, { by, form: { scope: 's:read' } });
    expect(decodeJwt(answer.access_token)).toMatchObject({ client_id: by, scope: 's:read' });
  });

  test.each([
    ['a client bound to nothing (TX01)', 'STRANGER'],
    ['the server of another resource', 'PARTNER'],
    ['a machine', 'MACHINE'],
  ])('%s MUST be refused, whatever it asks for', async (_who, by) => {
    for (const resource of [undefined, src, partner, mine]) {
      const answer = await exchange(server, subject, { by, form: { resource } });
      await refused(answer, 400, 'invalid_request');
    }
  });

  test('its own client narrows it; another one does not, though it is in the allow-list', async () => {
    const own = await tokenOf(server, 'WEB3', { resource: partner, scope: 'p:use p:admin' });
    const answer = await exchanged(server, own.access_token, {
      by: 'WEB3',
      form: { scope: 'p:use' },
    });
    expect(decodeJwt(answer.access_token)).toMatchObject({ aud: partner, scope: 'p:use' });
    await refused(await exchange(server, own.access_token), 400, 'invalid_request');
  });

  test.each([
    ['unknown', { resource: 'https://evil.test' }],
    ['unknown by name', { audience: 'evil' }],
    ['a client_id', { audience: 'PARTNER' }],
    ['two resources', { resource: [src, partner] }],
    ['a resource and another audience', { resource: src, audience: 'partner' }],
    ['with a fragment', { resource: `${partner}#x` }],
    ['no URI', { resource: 'partner' }],
  ])('a target that is %s MUST be invalid_target (§2.2.2)', async (_what, form) => {
    await refused(await exchange(server, subject, { form }), 400, 'invalid_target');
  });

  test('a target without the caller in its exchange.clients MUST be invalid_target (TX04)', async () => {
    const own = await tokenOf(server, 'WEB3', { resource: src, scope: 's:read' });
    for (const resource of [partner, mine, limited]) {
      const form = { resource };
      const answer = await exchange(server, own.access_token, { by: 'WEB3', form });
      await refused(answer, 400, 'invalid_target');
    }
    const answer = await exchange(server, subject, { by: 'TOOL2', form: { resource: mine } });
    await refused(answer, 400, 'invalid_target');
  });
});

describe('consent of the user for the target', () => {
  const toMine = { form: { resource: mine } };
  const consented = (scope: string) => tokenOf(server, 'TOOL', { resource: mine, scope });

  test('MUST exist, covers what it covers, and ends the token when it ends', async () => {
    const without = await refused(await exchange(server, subject, toMine), 400, 'invalid_target');
    expect(without.error_description).toMatch(/authorization endpoint/);
    await consented('m:read');
    statements.length = 0;
    const answer = await exchanged(server, subject, toMine);
    expect(ofRequests(statements)).toEqual(twoRoundTrips);
    expect(decodeJwt(answer.access_token)).toMatchObject({ aud: mine, scope: 'm:read' });
    const more = { form: { resource: mine, scope: 'm:write' } };
    await refused(await exchange(server, subject, more), 400, 'invalid_scope');
    const some = { form: { resource: mine, scope: 'm:write m:read' } };
    expect((await exchanged(server, subject, some)).scope).toBe('m:read');
    expect(await introspect(server, answer.access_token, 'MINE')).toMatchObject({ active: true });

    await endConsent();
    expect(await introspect(server, answer.access_token, 'MINE')).toEqual({ active: false });
    await refused(await exchange(server, subject, toMine), 400, 'invalid_target');
    expect(await introspect(server, subject)).toMatchObject({ active: true });
  });

  test('MUST be that of this user', async () => {
    await consented('m:read');
    const flow = good({ resource: src, scope: 's:read' });
    const { answer } = await authorize(server, flow, { person: bob });
    const redeemed = await server.post('/oauth/token', {
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      redirect_uri: String(flow.params.redirect_uri),
      client_id: 'PUB',
      code_verifier: flow.verifier,
    });
    const { access_token: ofBob } = z
      .object({ access_token: z.string() })
      .parse(await redeemed.json());
    await refused(await exchange(server, ofBob, toMine), 400, 'invalid_target');
    await exchanged(server, subject, toMine);
    await endConsent();
  });

  async function endConsent() {
    await server.db.kysely
      .updateTable('grants')
      .set({ revoked_at: server.now() })
      .where('resource', '=', mine)
      .execute();
  }
});

describe('scope never widens', () => {
  test.each([
    ['part of it', { scope: 's:read' }, 's:read'],
    ['identity scopes mean nothing', { scope: 'openid offline_access' }, 's:write'],
    ['omitted by policy: the defaults of the target', { resource: partner }, 'p:use'],
    ['asked for by policy', { resource: partner, scope: 'p:admin p:use' }, 'p:admin p:use'],
    ['unknown ones are dropped', { resource: partner, scope: 'p:use s:write' }, 'p:use'],
    ['both have it, the subject has not', { resource: partner, scope: 'p:use both' }, 'p:use'],
  ])('%s', async (_what, form, scope) => {
    const answer = await exchanged(server, subject, { form });
    expect(answer.scope.split(' ').sort()).toEqual(scope.split(' ').sort());
    expect(decodeJwt(answer.access_token).scope).toBe(answer.scope);
  });

  test.each([
    ['more than the subject has (TX04)', { scope: 's:read both' }],
    ['what no resource has', { scope: 'nonsense' }],
    ['scopes of another resource', { scope: 'p:use' }],
    ['scopes of the source at a target', { resource: partner, scope: 's:read' }],
    ['what the subject has not, though both resources do', { resource: partner, scope: 'both' }],
    ['what the user may not', { resource: limited, scope: 'l:all' }],
    ['of what the user may nothing at all', { resource: limited }],
  ])('%s MUST be invalid_scope', async (_what, form) => {
    await refused(await exchange(server, subject, { form }), 400, 'invalid_scope');
  });

  test('a user with more groups has more', async () => {
    const users = server.db.kysely.updateTable('users').where('email', '=', 'alice@example.test');
    await users.set({ groups: ['staff'] }).execute();
    const answer = await exchanged(server, subject, { form: { resource: limited } });
    expect(answer.scope).toBe('l:use');
    await users.set({ groups: [] }).execute();
  });
});

test('token_exchange.enabled: false switches it off, in the metadata too', async () => {
  const off = await startServer({ extra: 'token_exchange: { enabled: false }' });
  try {
    const document = '/.well-known/oauth-authorization-server';
    const metadata = z.object({ grant_types_supported: z.array(z.string()) });
    const said = async (url: string) => metadata.parse(await (await fetch(url + document)).json());
    expect((await said(server.url)).grant_types_supported).toContain(grantType);
    expect((await said(off.url)).grant_types_supported).not.toContain(grantType);
    const answer = await exchange(off, 'x', { by: 'WEB' });
    await refused(answer, 400, 'unsupported_grant_type');
  } finally {
    await off.close();
  }
});
