import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { granted, isActive, ownClock, refused, stored } from './answers.testing.ts';
import {
  asksForCode,
  type Device,
  decide,
  deviceGrant,
  makeDeviceClients,
  poll,
  sendDevice,
  startDevice,
  typeCode,
} from './device.testing.ts';
import { createProver } from './dpop.testing.ts';
import { authorize, authorizeUrl, code, good, redeem, refresh } from './flow.testing.ts';
import { isConsent, isSignIn, press, selfRegistered, signedIn, typed } from './people.testing.ts';
import { alice, bob, rs1, rs2, startServer, type TestServer, webSecret } from './server.testing.ts';

/** RFC 8628: OAuth 2.0 Device Authorization Grant. */

let server: TestServer;
let clock: ReturnType<typeof ownClock> | undefined;
beforeAll(async () => {
  server = await startServer();
  await makeDeviceClients(server);
});
afterEach(() => {
  clock?.release();
  clock = undefined;
});
afterAll(() => server?.close());

/** Stops the clock, so that seconds pass only where a test says so. */
function stopClock() {
  clock = ownClock();
  return clock;
}

async function event(type: string) {
  const rows = server.db.kysely.selectFrom('audit_events').selectAll().where('type', '=', type);
  return (await rows.orderBy('id', 'desc').limit(1).executeTakeFirst()) ?? {};
}

describe('§3.1 and §3.2 the device asks', () => {
  test('it MUST be told a device code, a user code, where to type it, and for how long', async () => {
    const answer = await sendDevice(server);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const body: Device = JSON.parse(await answer.text());
    expect(body).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43,}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${server.url}/device`,
      verification_uri_complete: `${server.url}/device?user_code=${body.user_code}`,
      expires_in: 600,
      interval: 5,
    });
  });

  test('both codes are kept as hashes only', async () => {
    const { device_code, user_code } = await startDevice(server);
    const row = JSON.stringify(await stored(server, device_code));
    for (const secret of [device_code, user_code, user_code.replace('-', '')])
      expect(row).not.toContain(secret);
    expect(server.logged()).not.toContain(device_code);
  });

  test.each([
    ['invalid_scope', { scope: 'nonsense' }],
    ['invalid_target', { resource: 'https://evil.test/mcp' }],
    ['invalid_target', { resource: [rs1, rs2] }],
    ['invalid_target', { resource: undefined }],
    ['unauthorized_client', { client_id: 'PUB' }],
    ['request_not_supported', { request: 'x.y.z' }],
    ['request_uri_not_supported', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }],
  ])(
    'scope, resource and grant are checked before anybody is asked: %s for %j',
    async (error, changes) => {
      await refused(await sendDevice(server, changes), 400, error);
    },
  );

  test('a client MUST authenticate as at the token endpoint', async () => {
    await refused(await sendDevice(server, { client_id: 'WEB' }), 401, 'invalid_client');
    await refused(await sendDevice(server, { client_id: undefined }), 401, 'invalid_client');
    await refused(await sendDevice(server, { client_id: 'nobody' }), 401, 'invalid_client');
  });

  test('a client that registered itself may not, unless the operator allows it', async () => {
    const body = {
      redirect_uris: ['https://a.test/cb'],
      grant_types: ['authorization_code', deviceGrant],
    };
    const client_id = await selfRegistered(server, body);
    await refused(await sendDevice(server, { client_id }), 400, 'unauthorized_client');

    const open = await startServer({ extra: 'dcr: { allow_device: true }' });
    try {
      const stranger = await selfRegistered(open, body);
      const { user_code, device_code } = await startDevice(open, { client_id: stranger });
      await decide(open, { user_code });
      await granted(await poll(open, device_code, { client_id: stranger }));
    } finally {
      await open.close();
    }
  });

  test('scripts of other origins may call it', async () => {
    const answer = await fetch(`${server.url}/oauth/device_authorization`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.test', 'access-control-request-method': 'POST' },
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('§3.3 the person types the code', () => {
  test('signs in, is asked for this device, and is sent back to it', async () => {
    const { device_code, user_code } = await startDevice(server);
    const browser = server.browser();
    const start = await browser.open(`${server.url}/device`);
    expect(asksForCode(start)).toBe(true);
    const login = await press(browser, start, [['user_code', user_code]]);
    expect(isSignIn(login)).toBe(true);
    expect(login.html).toContain('Terminal DEV');
    const consent = await press(browser, login, typed(alice));
    expect(isConsent(consent)).toBe(true);
    expect(consent.html).toContain('Terminal DEV');
    expect(consent.html).toContain(user_code);
    expect(consent.html).toContain('First server');
    expect(consent.html).not.toContain('sent back');
    const done = await press(browser, consent, [['decision', 'approve']]);
    expect(done.response.status).toBe(200);
    expect(done.html).toContain('Go back to your device');
    expect((await browser.open(done.url)).html).toContain('Go back to your device'); // reloaded

    const tokens = await granted(await poll(server, device_code));
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      aud: rs1,
      scope: 'mcp:read',
      client_id: 'DEV',
      auth_time: expect.any(Number),
    });
    expect(await isActive(server, tokens.access_token, webSecret)).toBe(true);
    await granted(await refresh(server, tokens.refresh_token, { client_id: 'DEV' }));
  });

  test('somebody who is signed in is asked at once', async () => {
    const { device_code, user_code } = await startDevice(server);
    const browser = await signedIn(server, bob);
    expect(isConsent(await typeCode(server, browser, user_code))).toBe(true);
    await decide(server, { user_code }, { browser, person: bob }); // the same browser may type it again
    await granted(await poll(server, device_code));
  });

  test('somebody who switches the account decides as that account', async () => {
    const { device_code, user_code } = await startDevice(server);
    const browser = await signedIn(server, alice);
    const page = await typeCode(server, browser, user_code);
    const link = /href="([^"]*\/login\/[^"]*)"/.exec(page.html)?.[1] ?? '';
    const asked = await press(browser, await browser.open(link), typed(bob));
    expect(isConsent(asked)).toBe(true);
    expect(asked.html).toContain(bob.email);
    expect(asked.html).toContain(user_code);
    await press(browser, asked, [['decision', 'approve']]);
    const { access_token } = await granted(await poll(server, device_code));
    const { sub } = decodeJwt(access_token);
    const person = server.db.kysely
      .selectFrom('users')
      .select('email')
      .where('id', '=', sub ?? '');
    expect(await person.execute()).toEqual([{ email: bob.email }]);
  });

  test('a complete verification URI MUST only fill in the form', async () => {
    const { device_code, user_code, verification_uri_complete } = await startDevice(server);
    const browser = await signedIn(server);
    const page = await browser.open(verification_uri_complete);
    expect(asksForCode(page)).toBe(true);
    expect(page.html).toContain(`value="${user_code}"`);
    await refused(await poll(server, device_code), 400, 'authorization_pending');
  });

  test.each([
    ['lower case', (user: string) => user.toLowerCase()],
    ['without the dash', (user: string) => user.replace('-', '')],
    ['with spaces', (user: string) => ` ${user.replace('-', ' ')} `],
    ['with another dash', (user: string) => user.replace('-', '–')],
    [
      'in full width',
      (user: string) =>
        user.replace(/[A-Z]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0)),
    ],
  ])('a code is read %s, too (§6.1)', async (_name, write) => {
    const { user_code } = await startDevice(server);
    expect(isSignIn(await typeCode(server, server.browser(), write(user_code)))).toBe(true);
  });

  test('consent for a device is never remembered, nor made up from an earlier one', async () => {
    const { user_code } = await startDevice(server);
    const browser = await signedIn(server);
    await decide(server, { user_code }, { browser });
    const second = await startDevice(server);
    expect(isConsent(await typeCode(server, browser, second.user_code))).toBe(true);
    await refused(await poll(server, second.device_code), 400, 'authorization_pending');
  });

  test('it is not after a sign-in on the way either', async () => {
    await decide(server, await startDevice(server));
    const { user_code, device_code } = await startDevice(server);
    const browser = server.browser();
    const login = await typeCode(server, browser, user_code);
    expect(isConsent(await press(browser, login, typed(alice)))).toBe(true);
    await refused(await poll(server, device_code), 400, 'authorization_pending');
  });

  test('a consent that was given for a device does not answer for a redirect', async () => {
    const by = { actor: { kind: 'cli' as const }, meta: { at: new Date() } };
    await server.app.rooms.clients.create(
      {
        client_id: 'BOTH',
        redirect_uris: ['https://both.test/cb'],
        grant_types: ['authorization_code', 'refresh_token', deviceGrant],
        token_endpoint_auth_method: 'none',
      },
      'cli',
      by,
    );
    const browser = await signedIn(server);
    const { user_code } = await startDevice(server, { client_id: 'BOTH' });
    await decide(server, { user_code }, { browser });
    const flow = good({ client_id: 'BOTH', redirect_uri: 'https://both.test/cb' });
    expect(isConsent(await browser.open(authorizeUrl(server, flow)))).toBe(true);
  });

  test('scopes that are not ticked are not granted', async () => {
    const { device_code, user_code } = await startDevice(server, { scope: 'mcp:read mcp:write' });
    const browser = await signedIn(server);
    const page = await typeCode(server, browser, user_code);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const action = /action="([^"]+)"/.exec(page.html)?.[1] ?? '';
    await browser.submit(action, [
      ['csrf', csrf],
      ['scope', 'mcp:write'],
      ['decision', 'approve'],
    ]);
    expect((await granted(await poll(server, device_code))).scope).toBe('mcp:write');
  });

  test('default scopes and canonical resources are as everywhere', async () => {
    const { device_code, user_code } = await startDevice(server, {
      scope: undefined,
      resource: 'HTTPS://RS1.test/mcp/',
    });
    await decide(server, { user_code });
    const { access_token } = await granted(await poll(server, device_code));
    expect(decodeJwt(access_token)).toMatchObject({ aud: rs1, scope: 'mcp:read' });
  });

  test('who denies is told so, and so is the device', async () => {
    const { device_code, user_code } = await startDevice(server);
    const page = await decide(server, { user_code }, { decision: 'deny' });
    expect(page.response.status).toBe(200);
    expect(page.html).toContain('Nothing was connected');
    await refused(await poll(server, device_code), 400, 'access_denied');
    await refused(await poll(server, device_code), 400, 'access_denied');
    expect(await event('consent_denied')).toMatchObject({
      client_id: 'DEV',
      detail: { redirect_host: 'device:' },
    });
  });

  test('the answer and the token are in the audit log', async () => {
    const { device_code, user_code } = await startDevice(server);
    await decide(server, { user_code });
    await granted(await poll(server, device_code));
    expect(await event('consent_granted')).toMatchObject({
      client_id: 'DEV',
      resource: rs1,
      detail: { redirect_host: 'device:', scopes: ['mcp:read'] },
    });
    expect(await event('token_issued')).toMatchObject({
      client_id: 'DEV',
      detail: { grant_type: deviceGrant },
    });
  });
});

describe('the page is bound to the browser and the person (DV01, CN03, CN08)', () => {
  const open = async () => {
    const device = await startDevice(server);
    const browser = await signedIn(server);
    return { ...device, browser, page: await typeCode(server, browser, device.user_code) };
  };

  test('a code that somebody typed MUST NOT be typed again in another browser', async () => {
    const { user_code, device_code, browser, page } = await open();
    const other = await typeCode(server, await signedIn(server, bob), user_code);
    expect(asksForCode(other)).toBe(true);
    await press(browser, page, [['decision', 'approve']]);
    const { access_token } = await granted(await poll(server, device_code));
    const alicesId = await server.db.kysely
      .selectFrom('users')
      .select('id')
      .where('email', '=', alice.email)
      .executeTakeFirstOrThrow();
    expect(decodeJwt(access_token).sub).toBe(alicesId.id);
  });

  test("somebody else MUST NOT finish a person's page", async () => {
    const { device_code, browser, page } = await open();
    const thief = await signedIn(server, bob);
    for (const [name, value] of browser.jar)
      if (/interaction|resume|browser/.test(name)) thief.jar.set(name, value);
    const answer = await press(thief, page, [['decision', 'approve']]);
    expect(answer.response.status).toBeGreaterThanOrEqual(400);
    await refused(await poll(server, device_code), 400, 'authorization_pending');
  });

  test('the first answer counts: another tab of the same person comes too late', async () => {
    const { user_code, device_code, browser, page } = await open();
    const other = await typeCode(server, browser, user_code);
    const denied = await press(browser, page, [['decision', 'deny']]);
    expect(denied.html).toContain('Nothing was connected');
    const late = await press(browser, other, [['decision', 'approve']]);
    expect(late.response.status).toBe(400);
    expect(late.html).toContain('answered already');
    await refused(await poll(server, device_code), 400, 'access_denied');
  });

  test('its page MUST NOT be opened as that of a redirect, without code and warning', async () => {
    const { page, browser, device_code } = await open();
    const uid = /\/consent\/([\w-]+)/.exec(page.html)?.[1] ?? '';
    const wrong = await browser.open(`${server.url}/oauth/authorize/${uid}`);
    expect(wrong.response.status).toBe(400);
    expect(wrong.html).toContain('expired');
    await refused(await poll(server, device_code), 400, 'authorization_pending');
  });

  test('a request of a device that is longer than 8 KiB MUST be refused', async () => {
    const long = await sendDevice(server, { login_hint: 'x'.repeat(9000) });
    await refused(long, 413, 'invalid_request');
  });

  test('a browser without the cookie of the sign-in gets a page', async () => {
    const { page, device_code } = await open();
    const uid = /\/consent\/([\w-]+)/.exec(page.html)?.[1] ?? '';
    for (const path of [`/device/${uid}`, '/device/unknown', `/consent/${uid}`]) {
      const answer = await server.browser().open(`${server.url}${path}`);
      expect(answer.response.status).toBe(400);
      expect(answer.html).toContain('expired');
    }
    await refused(await poll(server, device_code), 400, 'authorization_pending');
  });

  test.each([
    ['no token', { csrf: '' }, {}],
    ['a made up token', { csrf: 'x'.repeat(43) }, {}],
    ['another site', {}, { 'sec-fetch-site': 'cross-site' }],
    ['another origin', {}, { origin: 'https://evil.test' }],
    ['no origin', {}, { origin: 'null' }],
  ])('a form with %s MUST be refused', async (_name, fields, headers) => {
    const { user_code } = await startDevice(server);
    const browser = await signedIn(server);
    const page = await browser.open(`${server.url}/device`);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const sent = { csrf, user_code, ...fields };
    const answer = await browser.submit('/device', Object.entries(sent), headers);
    expect(answer.response.status).toBe(403);
  });

  test('the device code is of no use to the person, nor its stored id to anybody', async () => {
    const { device_code, user_code } = await startDevice(server);
    expect(asksForCode(await typeCode(server, server.browser(), device_code))).toBe(true);
    await decide(server, { user_code });
    const { id } = await stored(server, device_code);
    for (const value of [id, `stored:${id}`, user_code])
      await refused(await poll(server, value), 400, 'invalid_grant');
    await granted(await poll(server, device_code));
  });
});

describe('§3.5 polling', () => {
  test('MUST be told authorization_pending until somebody decides', async () => {
    const { advance } = stopClock();
    const { device_code } = await startDevice(server);
    for (let n = 0; n < 3; n += 1) {
      await refused(await poll(server, device_code), 400, 'authorization_pending');
      advance(5);
    }
  });

  test('who polls too often MUST be told slow_down, and the interval grows by 5 s', async () => {
    const { advance } = stopClock();
    const { device_code } = await startDevice(server);
    const pollAfter = async (seconds: number, error: string) => {
      advance(seconds);
      await refused(await poll(server, device_code), 400, error);
    };
    await pollAfter(0, 'authorization_pending');
    await pollAfter(1, 'slow_down'); // 10 s from now on
    await pollAfter(5, 'slow_down'); // 15 s
    await pollAfter(15, 'authorization_pending');
    await pollAfter(10, 'slow_down'); // 20 s
    await pollAfter(20, 'authorization_pending');
  });

  test('who was slowed down still gets the token', async () => {
    const { device_code, user_code } = await startDevice(server);
    await refused(await poll(server, device_code), 400, 'authorization_pending');
    await refused(await poll(server, device_code), 400, 'slow_down');
    await decide(server, { user_code });
    await granted(await poll(server, device_code));
  });

  test('another client MUST NOT poll, nor slow a device down', async () => {
    const { device_code, user_code } = await startDevice(server);
    await refused(await poll(server, device_code), 400, 'authorization_pending');
    for (let n = 0; n < 3; n += 1)
      await refused(await poll(server, device_code, { client_id: 'ONCE' }), 400, 'invalid_grant');
    await decide(server, { user_code });
    await refused(await poll(server, device_code, { client_id: 'ONCE' }), 400, 'invalid_grant');
    await granted(await poll(server, device_code));
  });

  test('an expired code MUST be expired_token, whatever was decided', async () => {
    const { advance } = stopClock();
    const [waiting, approved] = [await startDevice(server), await startDevice(server)];
    await decide(server, approved);
    advance(601);
    for (const { device_code } of [waiting, approved])
      await refused(await poll(server, device_code), 400, 'expired_token');
    expect(asksForCode(await typeCode(server, server.browser(), waiting.user_code))).toBe(true);
  });

  test('a code that expires while its page is open MUST NOT be approved', async () => {
    const { advance } = stopClock();
    const { device_code, user_code } = await startDevice(server);
    const browser = await signedIn(server);
    const page = await typeCode(server, browser, user_code);
    advance(601);
    const answer = await press(browser, page, [['decision', 'approve']]);
    expect(answer.response.status).toBe(400);
    expect(answer.html).toContain('expired');
    await refused(await poll(server, device_code), 400, 'expired_token');
  });

  test.each(['', 'unknown', 'x'.repeat(10_000), '\u0000', 'a b'])(
    'garbage is no device code: %j',
    async (value) => {
      const answer = await poll(server, value);
      expect(answer.status).toBe(400);
      expect(['invalid_grant', 'invalid_request']).toContain(JSON.parse(await answer.text()).error);
    },
  );

  test('a client without refresh_token gets none', async () => {
    const { device_code, user_code } = await startDevice(server, { client_id: 'ONCE' });
    await decide(server, { user_code });
    const tokens = await granted(await poll(server, device_code, { client_id: 'ONCE' }));
    expect(tokens.refresh_token).toBeUndefined();
  });

  test('a DPoP proof binds the tokens', async () => {
    const prover = await createProver();
    const { device_code, user_code } = await startDevice(server);
    await decide(server, { user_code });
    const proof = await prover.headers(`${server.url}/oauth/token`);
    const tokens = await granted(await poll(server, device_code, {}, proof));
    expect(decodeJwt(tokens.access_token).cnf).toEqual({ jkt: prover.jkt });
  });
});

describe('a device code is good for one token', () => {
  test('of 50 polls at once after the approval exactly one MUST get it', async () => {
    const { device_code, user_code } = await startDevice(server);
    await decide(server, { user_code });
    const answers = await Promise.all(Array.from({ length: 50 }, () => poll(server, device_code)));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200))
      await refused(answer, 400, 'invalid_grant');
  });

  test('used again later it MUST be refused, and its tokens end', async () => {
    const { advance } = stopClock();
    const { device_code, user_code } = await startDevice(server);
    await decide(server, { user_code });
    const { access_token, refresh_token } = await granted(await poll(server, device_code));
    advance(10);
    await refused(await poll(server, device_code), 400, 'invalid_grant');
    expect(await isActive(server, access_token, webSecret)).toBe(false);
    const again = await refresh(server, refresh_token, { client_id: 'DEV' });
    await refused(again, 400, 'invalid_grant');
    expect(await event('auth_code_reused')).toMatchObject({ client_id: 'DEV' });
  });

  test('another resource MUST be invalid_target before anything is consumed', async () => {
    const { device_code, user_code } = await startDevice(server);
    await decide(server, { user_code });
    await refused(await poll(server, device_code, { resource: rs2 }), 400, 'invalid_target');
    await granted(await poll(server, device_code, { resource: rs1 }));
  });

  test('a refused proof consumes nothing', async () => {
    const { device_code, user_code } = await startDevice(server);
    await decide(server, { user_code });
    const headers = { DPoP: 'garbage' };
    await refused(await poll(server, device_code, {}, headers), 400, 'invalid_dpop_proof');
    await granted(await poll(server, device_code));
  });

  test('a consent that is withdrawn before the device comes MUST end it', async () => {
    const { device_code, user_code } = await startDevice(server, { client_id: 'ONCE' });
    const browser = await signedIn(server);
    await decide(server, { user_code }, { browser });
    const account = await browser.open(`${server.url}/account`);
    const forms = [...account.html.matchAll(/<form.*?<\/form>/gs)].map(([form]) => form);
    const revoke = forms.filter((form) => form.includes('/account/revoke'));
    expect(revoke.length).toBeGreaterThan(0);
    for (const form of revoke) {
      const fields = [...form.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(
        ([, name = '', value = '']): [string, string] => [name, value],
      );
      await browser.submit('/account/revoke', fields);
    }
    const answer = await poll(server, device_code, { client_id: 'ONCE' });
    await refused(answer, 400, 'invalid_grant');
  });

  test('it is no authorization code, and a code is no device code (CO08)', async () => {
    const { device_code, user_code } = await startDevice(server);
    await decide(server, { user_code });
    await refused(await redeem(server, good(), device_code), 400, 'invalid_grant');
    const flow = good();
    const value = await code(server, flow);
    const asDevice = await poll(server, value, { client_id: 'PUB' });
    expect(asDevice.status).toBe(400);
    await granted(await redeem(server, flow, value));
    await granted(await poll(server, device_code));
  });
});

describe('§5.1 guessing user codes (DV01)', () => {
  let limited: TestServer;
  beforeAll(async () => {
    limited = await startServer();
    await makeDeviceClients(limited);
  });
  afterAll(() => limited?.close());

  test('wrong, expired, answered and used codes look the same', async () => {
    const { advance } = stopClock();
    const [expired, denied, used, elsewhere] = [
      await startDevice(server),
      await startDevice(server),
      await startDevice(server),
      await startDevice(server),
    ];
    await decide(server, denied, { decision: 'deny' });
    await decide(server, used);
    await granted(await poll(server, used.device_code));
    await typeCode(server, server.browser(), elsewhere.user_code);
    const pages = new Set<string>();
    const look = async (user_code: string) => {
      const page = await typeCode(server, server.browser(), user_code);
      expect(page.response.status).toBe(400);
      const same = page.html
        .replace(/trace <code>\w+/, '')
        .replace(/(name="csrf"|id="user_code"[^>]*) value="[^"]*"/g, '$1');
      pages.add(same);
    };
    for (const { user_code } of [denied, used, elsewhere]) await look(user_code);
    await look('BBBB-BBBB');
    advance(601);
    await look(expired.user_code);
    expect(pages.size).toBe(1);
  });

  test('after 50 wrong ones an address MUST be locked, right ones included; then it is not', async () => {
    const { device_code, user_code } = await startDevice(limited);
    const browser = limited.browser();
    const page = await browser.open(`${limited.url}/device`);
    const guess = (value: string) => press(browser, page, [['user_code', value]]);
    for (let n = 0; n < 50; n += 1) expect((await guess('BBBB-BBBB')).response.status).toBe(400);
    const locked = await guess(user_code);
    expect(locked.response.status).toBe(429);
    expect(Number(locked.response.headers.get('retry-after'))).toBeGreaterThan(60);
    expect(locked.html).toContain('Too many codes were tried');
    await refused(await poll(limited, device_code), 400, 'authorization_pending');
    const rows = limited.db.kysely
      .selectFrom('audit_events')
      .select('detail')
      .where('type', '=', 'user_locked_out');
    expect(await rows.execute()).toEqual([
      { detail: expect.objectContaining({ what: 'address', guessed: 'user_code' }) },
    ]);
    limited.advance(16 * 60);
    const fresh = await startDevice(limited);
    expect(isSignIn(await guess(fresh.user_code))).toBe(true);
  });

  test('of the guesses of one account ten MUST be looked at', async () => {
    limited.advance(16 * 60);
    const browser = await signedIn(limited);
    const page = await browser.open(`${limited.url}/device`);
    const guesses = Array.from({ length: 40 }, () =>
      press(browser, page, [['user_code', 'CCCC-CCCC']]),
    );
    const statuses = (await Promise.all(guesses)).map(({ response }) => response.status);
    expect(statuses.filter((status) => status === 400)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(30);
  });
});

describe('§4 metadata and the switch', () => {
  test('names the endpoint and the grant', async () => {
    const answer = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
    expect(await answer.json()).toMatchObject({
      device_authorization_endpoint: `${server.url}/oauth/device_authorization`,
      grant_types_supported: expect.arrayContaining([deviceGrant]),
    });
  });

  test('switched off nothing of it is there', async () => {
    const without = await startServer({ extra: 'device: { enabled: false }' });
    try {
      const answer = await fetch(`${without.url}/.well-known/oauth-authorization-server`);
      const metadata: Record<string, unknown> = JSON.parse(await answer.text());
      expect(metadata).not.toHaveProperty('device_authorization_endpoint');
      expect(metadata.grant_types_supported).not.toContain(deviceGrant);
      for (const path of ['/device', '/device/x'])
        expect((await fetch(`${without.url}${path}`)).status).toBe(404);
      expect((await sendDevice(without)).status).toBe(404);
      await refused(await poll(without, 'x', { client_id: 'PUB' }), 400, 'unsupported_grant_type');
    } finally {
      await without.close();
    }
  });

  test('an issuer with a path has it under the path', async () => {
    const tenant = await startServer({ path: '/tenant' });
    try {
      await makeDeviceClients(tenant);
      const device = await startDevice(tenant);
      expect(device.verification_uri).toBe(`${tenant.url}/device`);
      await decide(tenant, device);
      await granted(await poll(tenant, device.device_code));
    } finally {
      await tenant.close();
    }
  });
});

describe.each(['/oauth/device_authorization', '/oauth/par', '/device'])(
  'bad input at %s',
  (path) => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const send = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = form) =>
      fetch(`${server.url}${path}`, { method: 'POST', body, headers });

    test.each([
      ['10 MB', 'a='.padEnd(10 << 20, 'x'), 413],
      ['no UTF-8', new Uint8Array([0x61, 0x3d, 0xff, 0xfe]), 400],
      ['%zz', 'user_code=%zz', 400],
      ['a NUL', 'client_id=%00&user_code=%00', 400],
      ['a parameter twice', 'client_id=DEV&client_id=PUB&csrf=a&csrf=b', 400],
      ['brackets', 'client_id[]=DEV&user_code[a]=b', 400],
    ])('%s is refused, not an error of ours', async (name, body, status) => {
      const answer = await send(body);
      const isOurs = path === '/device' ? [status, 403] : [status, 401];
      expect({ name, status: answer.status }).toEqual({ name, status: expect.toBeOneOf(isOurs) });
    });

    test.each(['application/json', 'multipart/form-data; boundary=x', 'text/plain'])(
      'a body of %s is 415',
      async (type) => {
        expect((await send('{}', { 'content-type': type })).status).toBe(415);
      },
    );
  },
);

test('other authorizations of the person go on as before', async () => {
  const browser = await signedIn(server);
  const device = await startDevice(server);
  await decide(server, device, { browser });
  const { answer } = await authorize(server, good(), { browser });
  expect(answer.get('code')).toBeTruthy();
});
