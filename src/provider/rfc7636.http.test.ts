import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basic, granted, refused } from './answers.testing.ts';
import { authorize, authorizeUrl, code, type Flow, good, redeem, refresh } from './flow.testing.ts';
import { startServer, type TestServer, webCallback, webSecret } from './server.testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** The error that went back to the registered redirect URI, before anybody was asked anything. */
async function sentBack(flow: Flow) {
  const { url, html } = await server.browser().open(authorizeUrl(server, flow));
  expect({ url, html }).toMatchObject({
    url: expect.stringContaining(`${flow.params.redirect_uri}?`),
  });
  const answer = new URL(url).searchParams;
  expect(answer.get('state')).toBe('S1');
  expect(answer.get('iss')).toBe(server.url);
  expect(answer.get('code')).toBeNull();
  return answer.get('error');
}

describe('the authorization request (RFC 7636 §4.3, §4.4.1)', () => {
  test.each(['plain', 's256', 'none', 'S512', ' S256'])(
    'the method %s MUST be refused',
    async (method) => {
      expect(await sentBack(good({ code_challenge_method: method }))).toBe('invalid_request');
    },
  );

  test('a challenge without a method is plain, which MUST be refused', async () => {
    expect(await sentBack(good({ code_challenge_method: undefined }))).toBe('invalid_request');
  });

  test.each([
    ['a public client', {}],
    ['a confidential client', { client_id: 'WEB', redirect_uri: webCallback }],
  ])('%s MUST send a challenge', async (_who, who) => {
    const without = { ...who, code_challenge: undefined };
    expect(await sentBack(good(without))).toBe('invalid_request');
    expect(await sentBack(good({ ...without, code_challenge_method: undefined }))).toBe(
      'invalid_request',
    );
    expect(await sentBack(good({ ...who, code_challenge: '' }))).toBe('invalid_request');
  });

  test.each([
    ['shorter than a SHA-256', 'x'.repeat(42)],
    ['longer than a SHA-256', 'x'.repeat(129)],
    ['of other characters', `${'x'.repeat(42)}=`],
  ])('a challenge that is %s MUST be refused', async (_what, code_challenge) => {
    expect(await sentBack(good({ code_challenge }))).toBe('invalid_request');
  });

  test.each(['code_challenge', 'code_challenge_method'])(
    '%s MUST NOT be sent twice',
    async (name) => {
      const flow = good();
      const twice = good({ ...flow.params, [name]: [String(flow.params[name]), 'x'.repeat(43)] });
      expect(await sentBack(twice)).toBe('invalid_request');
    },
  );
});

describe('the token request (RFC 7636 §4.5, §4.6)', () => {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');

  test.each([
    ['missing', ''],
    ['another', randomBytes(32).toString('base64url')],
    ['the challenge itself', challenge],
    ['in another case', verifier.toUpperCase()],
    ['followed by a space', `${verifier} `],
    ['followed by a line feed', `${verifier}\n`],
    ['42 characters long', verifier.slice(0, 42)],
    ['129 characters long', 'x'.repeat(129)],
    ['not of the alphabet', `${verifier.slice(0, 42)}+`],
    ['not ASCII', `${verifier.slice(0, 42)}ü`],
  ])('a verifier that is %s MUST give no token', async (_what, code_verifier) => {
    const flow = good({ code_challenge: challenge });
    const value = await code(server, flow);
    const answer = await redeem(server, flow, value, { code_verifier });
    const { error }: { error: string } = JSON.parse(await answer.clone().text());
    expect(['invalid_grant', 'invalid_request']).toContain(error);
    const body = await refused(answer, 400, error);
    expect(body.error_description).toContain('code_verifier');
    await granted(await redeem(server, flow, value, { code_verifier: verifier }));
  });

  test('a verifier MUST be of the request that its code is from', async () => {
    const browser = server.browser();
    const [mine, other] = [good(), good()];
    const [first, second] = [
      await code(server, mine, { browser }),
      await code(server, other, { browser }),
    ];
    await refused(await redeem(server, other, first), 400, 'invalid_grant');
    await refused(await redeem(server, mine, second), 400, 'invalid_grant');
    await granted(await redeem(server, mine, first));
    await granted(await redeem(server, other, second));
  });

  test('a challenge stripped in a second tab MUST NOT weaken the first', async () => {
    const browser = server.browser();
    const flow = good();
    const stripped = {
      ...flow.params,
      code_challenge: undefined,
      code_challenge_method: undefined,
    };
    const answers = [
      await authorize(server, flow, { browser }),
      await authorize(server, good(stripped), { browser }),
    ];
    const [value, none] = answers.map(({ answer }) => answer.get('code'));
    expect(none).toBeNull();
    await refused(
      await redeem(server, { ...flow, verifier: '' }, String(value)),
      400,
      'invalid_grant',
    );
    await granted(await redeem(server, flow, String(value)));
  });

  test('a foreign client with a wrong verifier MUST NOT burn the code nor end the grant', async () => {
    const flow = good();
    const before = await granted(await redeem(server, flow, await code(server, flow)));
    const value = await code(server, flow);
    const foreign = { client_id: 'WEB', code_verifier: 'y'.repeat(43) };
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const answer = await redeem(server, flow, value, foreign, basic('WEB', webSecret));
      await refused(answer, 400, 'invalid_grant');
    }
    await granted(await redeem(server, flow, value));
    await granted(await refresh(server, before.refresh_token));
  });

  // Policy: a wrong verifier costs nothing but the attempt. 256 bits are not guessed within 60 s, and
  // burning the code would let whoever sees it stop its owner.
  test('wrong verifiers leave the code usable, once', async () => {
    const flow = good();
    const value = await code(server, flow);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const wrong = { code_verifier: randomBytes(32).toString('base64url') };
      await refused(await redeem(server, flow, value, wrong), 400, 'invalid_grant');
    }
    await granted(await redeem(server, flow, value));
    await refused(await redeem(server, flow, value), 400, 'invalid_grant');
  });
});

test('metadata MUST name S256 and nothing else', async () => {
  const answer = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
  expect(await answer.json()).toMatchObject({ code_challenge_methods_supported: ['S256'] });
});
