import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { granted } from './answers.testing.ts';
import { authorize, code, good, redeem } from './flow.testing.ts';
import { type Answer, harmless, patience, rows, urlencoded } from './hygiene.testing.ts';
import {
  encode,
  loopbackCallback,
  startServer,
  type TestServer,
  webSecret,
} from './server.testing.ts';

/**
 * Parameters and bodies that are missing, doubled, empty, huge or no text (RFC 6749 §3.1 and §3.2,
 * appendix B): refused, quickly, never a 5xx, and nothing is consumed.
 */

const forms = ['/oauth/authorize', '/oauth/token', '/oauth/introspect', '/oauth/revoke'];
const posts = [
  ...forms,
  '/oauth/register',
  '/login/unknown',
  '/consent/unknown',
  '/account/sign-in',
  '/account/revoke',
  '/logout',
];

let server: TestServer;
let before: Record<string, number>;
beforeAll(async () => {
  server = await startServer({ extra: 'oauth: { code_ttl: 10m }' });
});
afterAll(() => server.close());
beforeEach(async () => {
  before = await rows(server);
});
afterEach(async () => {
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
});

const post = (path: string, body: string | Buffer, headers: Record<string, string> = urlencoded) =>
  harmless(server, 'POST', path, { headers, body });

/** Refused for good: a page or JSON, or an error at the registered redirect URI; no sign-in page. */
function expectRefused({ status, headers }: Answer) {
  const location = String(headers.location ?? '');
  if (status >= 300 && status < 400) {
    expect(location.startsWith(`${loopbackCallback}?`)).toBe(true);
    expect(new URL(location).searchParams.get('error')).toBeTruthy();
  } else {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(location).toBe('');
  }
}

/** Bytes that are no parameter: not UTF-8, half a character, a lone surrogate, NUL, no hexadecimal. */
const notText = [
  '%ff',
  '%c3%28',
  '%c3',
  '%ed%a0%80',
  '%f8%a1%a1%a1',
  '%00',
  'a%00b',
  '%',
  '%zz',
  '%u0041',
];

describe('parameters of the authorization request (PP01, PP03, OV03, OV04)', () => {
  const names = [
    'response_type',
    'client_id',
    'redirect_uri',
    'scope',
    'state',
    'code_challenge',
    'code_challenge_method',
    'resource',
    'response_mode',
    'prompt',
    'dpop_jkt',
    'login_hint',
    'nonce',
    'max_age',
    'request',
    'request_uri',
    'claims',
    'unknown',
  ];
  const query = (changes: Parameters<typeof good>[0] = {}) =>
    encode(good(changes).params).toString();
  const both = async (text: string) => [
    await harmless(server, 'GET', `/oauth/authorize?${text}`),
    await post('/oauth/authorize', text),
  ];

  test('the good request is good: the sign-in page follows', async () => {
    for (const { status, headers } of await both(query())) {
      expect(status).toBe(303);
      expect(headers.location).toContain('/login/');
    }
  });

  test.each(['response_type', 'client_id', 'redirect_uri', 'code_challenge'])(
    'without %s, or with it empty, it is refused',
    async (name) => {
      for (const text of [query({ [name]: undefined }), query({ [name]: '' })])
        for (const answer of await both(text)) expectRefused(answer);
    },
  );

  test.each(names)('%s twice is refused; empty or unknown values never break', async (name) => {
    const { params } = good();
    const value = String(params[name] ?? '1');
    for (const pair of [
      [value, value],
      [value, 'x'],
      ['', value],
    ]) {
      const answers = await both(query({ [name]: pair }));
      const repeatable = ['resource', 'unknown', 'nonce', 'max_age', 'claims'].includes(name);
      if (!repeatable) for (const answer of answers) expectRefused(answer);
    }
    await both(query({ [name]: '' }));
    await both(query({ [name]: ' ' }));
    await both(query({ [name]: 'undefined' }));
    expect(await rows(server)).toEqual(before);
  });

  test.each(names)('%s of 10 KB is no 5xx', async (name) => {
    await both(query({ [name]: 'x'.repeat(10_000) }));
    await both(query({ [name]: 'a '.repeat(5000) }));
    expect(await rows(server)).toEqual(before);
  });

  test.each(notText)('%s in any parameter, or as its name, is refused (OV03)', async (bytes) => {
    for (const name of names) {
      const text = `${query({ [name]: undefined })}&${name}=${bytes}`;
      for (const answer of await both(text)) {
        expect(answer.status).toBe(400);
        expect(answer.headers.location).toBeUndefined();
      }
    }
    for (const answer of await both(`${query()}&${bytes}=x`)) expect(answer.status).toBe(400);
  });

  test.each(['client_id', 'redirect_uri', 'response_type', 'code_challenge'])(
    '%s[] and %s[a] are other parameters (PP03)',
    async (name) => {
      const value = String(good().params[name]);
      for (const other of [`${name}[]`, `${name}[a]`, `${name}[0]`, `${name}.a`, ` ${name}`]) {
        const text = query({ [name]: undefined, [other]: value });
        for (const answer of await both(text)) expectRefused(answer);
      }
    },
  );

  test('__proto__ and constructor are other parameters', async () => {
    for (const name of [
      '__proto__',
      '__proto__[client_id]',
      'constructor',
      'toString',
      'hasOwnProperty',
    ])
      for (const { status } of await both(`${query()}&${name}=x`)) expect(status).toBe(303);
  });

  test('a state of 100 KB is refused by a page (OV04)', async () => {
    const { status, headers } = await post(
      '/oauth/authorize',
      query({ state: 'x'.repeat(100_000) }),
    );
    expect(status).toBe(413);
    expect(headers.location).toBeUndefined();
  });

  test('any printable state comes back as it was sent (OV04)', async () => {
    const state = `"><script>&=+%25 🔑 ${'x'.repeat(4000)}`;
    const { answer } = await authorize(server, good({ state }));
    expect(answer.get('state')).toBe(state);
  });

  test('parameters of the query do not count in a POST', async () => {
    const text = query();
    const answer = await post(`/oauth/authorize?${text}`, 'state=S1');
    expectRefused(answer);
  });

  test('1,001 parameters are refused', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => `p${index}=1`).join('&');
    expect((await post('/oauth/authorize', `${query()}&${many}`)).status).toBe(400);
  });
});

describe('parameters of the token request (PP01, PP03, OV03): nothing is consumed', () => {
  const names = [
    'grant_type',
    'code',
    'redirect_uri',
    'client_id',
    'code_verifier',
    'resource',
    'scope',
    'client_secret',
    'client_assertion',
    'client_assertion_type',
    'refresh_token',
    'unknown',
  ];

  test('each missing, twice, empty, huge and not text; then the code is still good', async () => {
    const flow = good();
    const value = await code(server, flow);
    const start = await rows(server);
    const form: Record<string, string> = {
      grant_type: 'authorization_code',
      code: value,
      redirect_uri: loopbackCallback,
      client_id: 'PUB',
      code_verifier: flow.verifier,
    };
    const required = Object.keys(form);
    const without = (name: string) =>
      encode(Object.fromEntries(Object.entries(form).filter(([key]) => key !== name))).toString();
    for (const name of names) {
      const rest = without(name);
      const sent = form[name] ?? 'x';
      const bad = [
        ...(required.includes(name) ? [rest, `${rest}&${name}=`, `${rest}&${name}[]=${sent}`] : []),
        ...(required.includes(name) ? [`${rest}&${name}=${'x'.repeat(20_000)}`] : []),
        ...(name === 'unknown' ? [] : [`${rest}&${encode({ [name]: [sent, sent] })}`]),
        ...notText.map((bytes) => `${rest}&${name}=${bytes}`),
      ];
      for (const body of bad) {
        const { status, text } = await post('/oauth/token', body);
        expect({ body, status: [400, 401].includes(status) ? 400 : status, text }).toEqual({
          body,
          status: 400,
          text,
        });
        expect(JSON.parse(text)).toMatchObject({ error: expect.any(String) });
      }
    }
    expect(await rows(server)).toEqual(start);
    await granted(await redeem(server, flow, value));
    const log = server.logged();
    for (const secret of [value, flow.verifier, webSecret]) expect(log).not.toContain(secret);
  });

  test.each([
    ['NUL in the user name', Buffer.from('a\0b:secret')],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x3a, 0x61])],
    ['no colon', Buffer.from('WEB')],
    ['empty', Buffer.from('')],
    ['only a colon', Buffer.from(':')],
    ['percent', Buffer.from('%zz:%ff')],
    ['NUL by percent', Buffer.from('%00:%00')],
    ['10 KB', Buffer.from(`${'x'.repeat(8000)}:x`)],
  ])('Basic credentials: %s', async (_what, credentials) => {
    const authorization = `Basic ${credentials.toString('base64')}`;
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      const body = 'grant_type=refresh_token&refresh_token=x&token=x';
      const { status } = await post(path, body, { ...urlencoded, authorization });
      expect([400, 401]).toContain(status);
    }
  });

  test.each([
    'Basic',
    'Basic !',
    'Bearer x',
    'Digest a=b',
    'DPoP x',
    'x'.repeat(9000),
    'Basic a b',
  ])('Authorization: %s', async (authorization) => {
    const body = 'grant_type=refresh_token&refresh_token=x&token=x';
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      const { status } = await post(path, body, { ...urlencoded, authorization });
      expect([400, 401]).toContain(status);
    }
  });

  test.each([
    { sub: 'a\0b', iss: 'a\0b' },
    { sub: 'WEB\0' },
    { sub: 7 },
    { sub: ['WEB'] },
    { sub: { a: 1 } },
    { sub: '\ud800' },
    { sub: 'x'.repeat(20_000) },
    { sub: '__proto__' },
    { sub: 'https://169.254.169.254/' },
    {},
  ])('an assertion that says %j of itself is 400 or 401', async (claims) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = part({ alg: 'ES256', kid: 'a\0b' });
    const form = {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      token: 'x',
      client_assertion: `${header}.${part(claims)}.AAAA`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      const { status } = await post(path, encode(form).toString());
      expect([400, 401]).toContain(status);
    }
  });
});

describe('bodies (PP05, OV02, OV07)', () => {
  test.each(posts)('10 MB to %s are refused', async (path) => {
    const body = Buffer.alloc(10 * 1024 * 1024, 'a');
    const type = path === '/oauth/register' ? 'application/json' : urlencoded['content-type'];
    const { status } = await post(path, body, { 'content-type': type });
    if (path === '/account/revoke')
      expect(status).toBe(303); // to the sign-in page
    else expect([400, 403, 413]).toContain(status);
    if (forms.includes(path) || path === '/oauth/register') expect(status).toBe(413);
    expect(await rows(server)).toEqual(before);
  });

  test.each(['/oauth/token', '/oauth/authorize'])(
    'a JWT of 1 MB to %s is refused',
    async (path) => {
      const jwt = `eyJhbGciOiJFUzI1NiJ9.${'e30'.repeat(350_000)}.x`;
      const body = `client_id=PUB&client_assertion=${jwt}&request=${jwt}`;
      expect((await post(path, body)).status).toBe(413);
    },
  );

  test.each(forms)('%s reads application/x-www-form-urlencoded in UTF-8 only', async (path) => {
    const body = 'client_id=PUB&token=x&grant_type=refresh_token&refresh_token=x';
    for (const type of [
      'application/json',
      'multipart/form-data; boundary=x',
      'text/plain',
      'application/x-www-form-urlencoded; charset=utf-7',
      'application/x-www-form-urlencoded; charset=utf-16',
      'application/x-www-form-urlencoded; charset=iso-8859-1',
      'application/x-www-form-urlencodedx',
      '',
      ';',
    ]) {
      const { status } = await post(path, body, { 'content-type': type });
      expect({ type, status }).toEqual({ type, status: 415 });
    }
    const { status } = await harmless(server, 'POST', path, { body });
    expect(status).toBe(415);
  });

  test('a compressed body is refused', async () => {
    for (const encoding of ['gzip', 'br', 'deflate'])
      expect(
        (await post('/oauth/token', 'x', { ...urlencoded, 'content-encoding': encoding })).status,
      ).toBe(415);
  });

  test('charset=utf-8 in any spelling is fine', async () => {
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8']) {
      const type = `application/x-www-form-urlencoded;charset=${charset}`;
      const { text } = await post(
        '/oauth/token',
        'grant_type=refresh_token&refresh_token=x&client_id=PUB',
        {
          'content-type': type,
        },
      );
      expect(JSON.parse(text)).toMatchObject({ error: 'invalid_grant' });
    }
  });

  test.each(posts)('no body at all to %s is refused', async (path) => {
    const { status, headers } = await harmless(server, 'POST', path, {});
    if (path === '/account/revoke') expect(headers.location).toContain('/account/sign-in');
    else expect(status).toBeGreaterThanOrEqual(400);
    expect(await rows(server)).toEqual(before);
  });

  test('bytes that are not UTF-8 are refused without percent signs too (OV03)', async () => {
    for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0x00]]) {
      const body = Buffer.concat([Buffer.from('client_id=PUB&token='), Buffer.from(bytes)]);
      for (const path of forms) expect((await post(path, body)).status).toBe(400);
    }
  });
});

describe('text that is made to be slow (OV05)', () => {
  const corpus = [
    'a'.repeat(10_000),
    `${'a '.repeat(5000)}!`,
    ' '.repeat(10_000),
    `${'/'.repeat(10_000)}x`,
    `${'a.'.repeat(5000)}@`,
    `http://${'a@'.repeat(5000)}`,
    `${','.repeat(10_000)}`,
    `${'text/html;q=0.'.repeat(700)}`,
    `${'1.'.repeat(5000)}`,
    `${'::'.repeat(5000)}`,
    `${'%25'.repeat(3000)}`,
  ];

  test.each(corpus.map((text) => [text.slice(0, 12), text]))('%s…', async (_start, text) => {
    const started = performance.now();
    for (const name of ['accept', 'user-agent', 'x-forwarded-for', 'forwarded', 'origin', 'cookie'])
      await harmless(server, 'GET', '/oauth/authorize', { headers: { [name]: text } });
    for (const name of ['scope', 'redirect_uri', 'client_id', 'resource'])
      await post('/oauth/authorize', encode(good({ [name]: text }).params).toString());
    expect(performance.now() - started).toBeLessThan(3 * patience);
  });
});
