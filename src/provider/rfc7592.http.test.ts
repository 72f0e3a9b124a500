import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { code, good, redeem, refresh, tokens } from './flow.testing.ts';
import {
  everythingStored,
  manage,
  type Registered,
  refusal,
  refused,
  register,
} from './registration.testing.ts';
import { startServer, type TestServer, webSecret } from './server.testing.ts';
import { open, openSignedIn } from './signed-in.testing.ts';

const callback = 'https://client.example/cb';
const operator = {
  actor: { kind: 'admin', id: 'usr_operator' } as const,
  meta: { at: new Date() },
};

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ extra: 'dcr: { rate_limit: 10000, rate_limit_burst: 10000 }' });
});
afterAll(() => server?.close());

const flowOf = ({ client_id }: Registered, redirectUri = callback) =>
  good({ client_id, redirect_uri: redirectUri });
const newClient = (changes: object = {}) =>
  register(server, { client_name: 'Managed', redirect_uris: [callback], ...changes });
const withToken = (client: Registered, token: string): Registered => ({
  ...client,
  registration_access_token: token,
});

/** A registration as RFC 7592 §2.2 wants it sent back. */
function asUpdate(client: Registered, changes: object = {}): object {
  const { registration_access_token: _, registration_client_uri: __, ...rest } = client;
  const { client_id_issued_at: ___, client_secret_expires_at: ____, ...metadata } = rest;
  return { ...metadata, ...changes };
}

function storedRow({ client_id }: Registered) {
  return server.db.kysely
    .selectFrom('clients')
    .select(['status', 'metadata', 'secret_hashes', 'client_name', 'rules'])
    .where('client_id', '=', client_id)
    .executeTakeFirstOrThrow();
}

describe('reading (RFC 7592 §2.1)', () => {
  test('answers what the registration answered, without the secret and without null', async () => {
    const client = await newClient({
      token_endpoint_auth_method: 'client_secret_basic',
      contacts: ['ops@client.example'],
      logo_uri: 'https://client.example/logo.png',
    });
    const response = await manage(client, 'GET');
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const text = await response.text();
    const { client_secret, client_secret_expires_at: _, ...rest } = client;
    expect(client_secret).toBeTruthy();
    expect(JSON.parse(text)).toEqual(rest);
    expect(text).not.toContain('null');
  });

  test('no answer ever has the secret again', async () => {
    const client = await newClient({ token_endpoint_auth_method: 'client_secret_post' });
    const answers = [
      await manage(client, 'GET'),
      await manage(client, 'PUT', asUpdate(client, { client_name: 'Renamed' })),
      await manage(client, 'GET'),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(await answer.text()).not.toContain(client.client_secret);
    }
    const stored = await everythingStored(server);
    expect(stored).not.toContain(client.client_secret);
    expect(stored).not.toContain(client.registration_access_token);
  });
});

describe('who may manage a client (DC11)', () => {
  const methods = ['GET', 'PUT', 'DELETE'] as const;

  test.each(methods)(
    '%s MUST refuse every token but its own, all in the same words',
    async (method) => {
      const client = await newClient();
      const other = await newClient();
      const body = method === 'PUT' ? asUpdate(client, { client_name: 'Taken over' }) : undefined;
      const token = client.registration_access_token;
      const impostors = [
        withToken(client, other.registration_access_token),
        withToken(client, `${token}x`),
        withToken(client, token.slice(0, -1)),
        withToken(client, token.toLowerCase()),
        withToken(client, ''),
        withToken(
          { ...client, registration_client_uri: `${client.registration_client_uri}x` },
          token,
        ),
      ];
      const descriptions = new Set<unknown>();
      for (const impostor of impostors) {
        const response = await manage(impostor, method, body);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
        const answer = await refusal(response);
        expect(answer).toMatchObject(refused(401, 'invalid_token'));
        descriptions.add(answer.description);
      }
      expect(descriptions.size).toBe(1);
      expect((await storedRow(client)).client_name).toBe('Managed');
    },
  );

  test('a token in the query or in Basic is none', async () => {
    const client = await newClient();
    const token = client.registration_access_token;
    const basic = Buffer.from(`${client.client_id}:${token}`).toString('base64');
    const answers = [
      await fetch(`${client.registration_client_uri}?access_token=${token}`),
      await fetch(client.registration_client_uri, { headers: { authorization: `Basic ${basic}` } }),
      await fetch(client.registration_client_uri, { headers: { authorization: token } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  });

  test('a token of a registered client manages no other kind of client', async () => {
    const { registration_access_token: token } = await newClient();
    for (const id of ['WEB', 'PUB', 'https%3A%2F%2Fclient.test%2Fdoc', '..%2f..%2fadmin']) {
      const response = await fetch(`${server.url}/oauth/register/${id}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(response.status).toBe(401);
    }
  });

  test.each(['%00', '%ff', '%zz', 'a'.repeat(4000), '%E2%80%AE', "'%20or%201=1--"])(
    'an id that cannot be is refused without a failure: %s',
    async (id) => {
      const response = await fetch(`${server.url}/oauth/register/${id}`, {
        headers: { authorization: 'Bearer rat_x' },
      });
      expect([400, 401, 404]).toContain(response.status);
    },
  );
});

describe('changing (RFC 7592 §2.2)', () => {
  test('replaces everything: what is left out is gone', async () => {
    const client = await newClient({ logo_uri: 'https://client.example/logo.png' });
    const other = 'https://client.example/other';
    const response = await manage(client, 'PUT', {
      client_id: client.client_id,
      redirect_uris: [other],
    });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).not.toContain('null');
    const answer: Registered = JSON.parse(text);
    expect(answer.redirect_uris).toEqual([other]);
    expect(answer).not.toHaveProperty('client_name');
    expect(answer).not.toHaveProperty('logo_uri');
    expect(await (await manage(client, 'GET')).json()).toEqual(answer);
    expect((await open(server, flowOf(client))).location).toBeNull();
    expect(await code(server, flowOf(client, other))).toBeTruthy();
  });

  test('client_id MUST be there and its own', async () => {
    const client = await newClient();
    const other = await newClient();
    const missing = await manage(client, 'PUT', { redirect_uris: [callback] });
    expect(await refusal(missing)).toMatchObject(refused(400, 'invalid_request'));
    const swapped = await manage(client, 'PUT', asUpdate(other));
    expect(await refusal(swapped)).toMatchObject(refused(403, 'access_denied'));
    const list = await manage(client, 'PUT', [asUpdate(client)]);
    expect(list.status).toBe(400);
  });

  test('is judged like a registration; a refused change changes nothing', async () => {
    const client = await newClient();
    const before = await storedRow(client);
    const changes: [object, string][] = [
      [{ redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
      [{ redirect_uris: [callback, 'http://evil.test/cb'] }, 'invalid_redirect_uri'],
      [{ redirect_uris: [callback, 'https://client.example/cb#x'] }, 'invalid_redirect_uri'],
      [{ redirect_uris: [] }, 'invalid_redirect_uri'],
      [{ grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
      [{ token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
      [{ token_endpoint_auth_method: 'tls_client_auth' }, 'invalid_client_metadata'],
      [{ jwks_uri: 'https://169.254.169.254/' }, 'invalid_client_metadata'],
      [{ sector_identifier_uri: 'https://client.example/' }, 'invalid_client_metadata'],
    ];
    for (const [change, error] of changes) {
      const response = await manage(client, 'PUT', asUpdate(client, change));
      expect(await refusal(response)).toMatchObject(refused(400, error));
    }
    expect(await storedRow(client)).toEqual(before);
  });

  test('members that mean nothing here have no effect', async () => {
    const client = await newClient();
    const response = await manage(
      client,
      'PUT',
      asUpdate(client, {
        status: 'active',
        kind: 'preregistered',
        resources: [],
        is_trusted: true,
      }),
    );
    const answer: Registered = JSON.parse(await response.text());
    expect(Object.keys(answer).sort()).toEqual(Object.keys(client).sort());
  });

  test('a client keeps its secret, whatever it proposes as one', async () => {
    const client = await newClient({ token_endpoint_auth_method: 'client_secret_post' });
    const update = asUpdate(client, { client_secret: 'a-secret-that-the-client-chose' });
    const response = await manage(client, 'PUT', update);
    expect(await response.json()).not.toHaveProperty('client_secret');
    const flow = flowOf(client);
    const value = await code(server, flow);
    const chosen = { client_secret: 'a-secret-that-the-client-chose' };
    expect((await redeem(server, flow, value, chosen)).status).toBe(401);
    const kept = { client_secret: client.client_secret ?? '' };
    expect((await redeem(server, flow, value, kept)).status).toBe(200);
  });

  test('a client that becomes confidential gets a secret once; one that becomes public loses it', async () => {
    const client = await newClient();
    const confidential = asUpdate(client, { token_endpoint_auth_method: 'client_secret_basic' });
    const first: Registered = JSON.parse(await (await manage(client, 'PUT', confidential)).text());
    expect(first.client_secret).toMatch(/^cs_/);
    expect(await (await manage(client, 'GET')).json()).not.toHaveProperty('client_secret');
    await manage(client, 'PUT', asUpdate(client));
    expect((await storedRow(client)).secret_hashes).toEqual([]);
  });

  test('is in the audit trail with what changed', async () => {
    const client = await newClient();
    await manage(client, 'PUT', asUpdate(client, { client_name: 'Renamed' }));
    const event = await server.db.kysely
      .selectFrom('audit_events')
      .select(['actor_kind', 'detail'])
      .where('client_id', '=', client.client_id)
      .where('type', '=', 'client_updated')
      .executeTakeFirstOrThrow();
    expect(event).toMatchObject({
      actor_kind: 'client',
      detail: { changes: [{ field: 'client_name', from: 'Managed', to: 'Renamed' }] },
    });
  });
});

describe('consent that is remembered (DC12)', () => {
  async function approved() {
    const client = await newClient();
    const { browser } = await openSignedIn(server, flowOf(client));
    await code(server, flowOf(client), { browser });
    const again = await openSignedIn(server, flowOf(client), browser);
    expect(again.asks).toBe(false);
    expect(again.url).toContain('code=');
    return { client, browser };
  }

  test('MUST be asked again for a new redirect host, at the new one and at the old one', async () => {
    const { client, browser } = await approved();
    const evil = 'https://evil.test/cb';
    const update = asUpdate(client, { redirect_uris: [callback, evil] });
    expect((await manage(client, 'PUT', update)).status).toBe(200);
    const page = await openSignedIn(server, flowOf(client, evil), browser);
    expect(page.asks).toBe(true);
    expect(page.html).toContain('evil.test');
    expect((await openSignedIn(server, flowOf(client), browser)).asks).toBe(true);
  });

  test.each([
    ['name', { client_name: 'Your bank' }],
    ['keys', { jwks_uri: 'https://client.example/keys' }],
  ])('MUST be asked again for a new %s', async (_what, change) => {
    const { client, browser } = await approved();
    expect((await manage(client, 'PUT', asUpdate(client, change))).status).toBe(200);
    expect((await openSignedIn(server, flowOf(client), browser)).asks).toBe(true);
  });

  test('holds while nothing of it changes', async () => {
    const { client, browser } = await approved();
    const same = asUpdate(client, { redirect_uris: [callback, 'https://client.example/more'] });
    expect((await manage(client, 'PUT', same)).status).toBe(200);
    expect((await openSignedIn(server, flowOf(client), browser)).asks).toBe(false);
  });
});

describe('a client that an operator suspended (CVE-2026-9705)', () => {
  test('MUST stay suspended, whatever its registration token asks for', async () => {
    const client = await newClient();
    const { refresh_token } = await tokens(server, flowOf(client));
    const waiting = flowOf(client);
    const issued = await code(server, waiting);
    const { clients } = server.app.rooms;
    await clients.suspend(client.client_id, operator);

    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', asUpdate(client, { status: 'active' })],
      ['DELETE', undefined],
    ] as const) {
      const response = await manage(client, method, body);
      expect(await refusal(response)).toMatchObject(refused(403, 'access_denied'));
    }
    expect((await storedRow(client)).status).toBe('suspended');
    expect(await open(server, flowOf(client))).toMatchObject({ status: 400, location: null });
    for (const response of [
      await redeem(server, waiting, issued),
      await refresh(server, refresh_token, { client_id: client.client_id }),
    ]) {
      expect(await refusal(response)).toMatchObject(refused(401, 'invalid_client'));
    }

    await clients.resume(client.client_id, operator);
    expect((await manage(client, 'GET')).status).toBe(200);
    expect((await tokens(server, flowOf(client))).access_token).toBeTruthy();
  });
});

describe('removal (RFC 7592 §2.3)', () => {
  test('ends the client, its tokens and its registration token at once', async () => {
    const client = await newClient();
    const { access_token, refresh_token } = await tokens(server, flowOf(client));
    const introspect = async () => {
      const basic = Buffer.from(`RS1:${webSecret}`).toString('base64');
      const headers = { authorization: `Basic ${basic}` };
      return (await server.post('/oauth/introspect', { token: access_token }, headers)).json();
    };
    expect(await introspect()).toMatchObject({ active: true });

    const response = await manage(client, 'DELETE');
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    expect(response.headers.get('cache-control')).toBe('no-store');

    expect(await introspect()).toEqual({ active: false });
    const next = await refresh(server, refresh_token, { client_id: client.client_id });
    expect(await refusal(next)).toMatchObject(refused(401, 'invalid_client'));
    expect(await open(server, flowOf(client))).toMatchObject({ status: 400, location: null });
    for (const method of ['GET', 'DELETE'] as const) {
      expect(await refusal(await manage(client, method))).toMatchObject(
        refused(401, 'invalid_token'),
      );
    }
  });
});

test.each(['POST', 'PATCH'])('%s is not for the configuration endpoint', async (method) => {
  const client = await newClient();
  const headers = { authorization: `Bearer ${client.registration_access_token}` };
  const response = await fetch(client.registration_client_uri, { method, headers });
  expect(response.status).toBe(405);
});
