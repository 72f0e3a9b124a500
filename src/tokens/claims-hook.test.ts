import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aResource } from '../resources/resource.testing.ts';
import { createClaimsHooks, hookRest } from './claims-hook.ts';
import { answerJson, startHookServer } from './hook-server.testing.ts';

const secret = 'a secret of at least 24 letters';
const question = {
  client: { clientId: 'app', kind: 'dcr' },
  scope: 'read',
  grantType: 'client_credentials',
  claims: { plan: 'free', role: 'guest' },
};

let hookServer: Awaited<ReturnType<typeof startHookServer>>;
beforeAll(async () => {
  hookServer = await startHookServer();
});
beforeEach(() => hookServer.reset());
afterAll(() => hookServer.close());

function hooks({ opens = true } = {}) {
  let time = Date.now();
  const logged: Record<string, unknown>[] = [];
  const counted: string[] = [];
  const made = createClaimsHooks({
    secretOf: () => (opens ? secret : undefined),
    metrics: { claimsHookCalled: (outcome) => void counted.push(outcome) },
    log: { warn: (entry: unknown) => void logged.push({ ...Object(entry) }) },
    now: () => new Date(time),
  });
  const advance = (seconds: number) => {
    time += seconds * 1000;
  };
  return { ...made, logged, counted, advance };
}

function hooked(on_failure: 'deny' | 'skip' = 'deny', url = hookServer.url) {
  return aResource({ claimsHook: { url, sealed: 'sealed', timeout: 1, on_failure } });
}

const failing = { error: 'temporarily_unavailable', status: 503, headers: { 'Retry-After': '1' } };

describe('a claims hook', () => {
  test('is put over the mapping; null takes a claim away', async () => {
    hookServer.answers((response) =>
      answerJson(response, {
        claims: { plan: 'pro', role: null, 'https://a.example/seats': { used: [1, { of: 3 }] } },
        more: 'ignored',
      }),
    );
    const { extend, counted, logged } = hooks();
    expect(await extend(hooked(), question)).toEqual({
      plan: 'pro',
      'https://a.example/seats': { used: [1, { of: 3 }] },
    });
    expect(counted).toEqual(['answered']);
    expect(logged).toEqual([]);
  });

  test('is not asked where the resource has none', async () => {
    const { extend } = hooks();
    expect(await extend(aResource(), question)).toEqual(question.claims);
    expect(hookServer.requests).toEqual([]);
  });

  test.each<[string, string, (response: import('node:http').ServerResponse) => void]>([
    ['500', 'bad_status', (response) => answerJson(response, { claims: {} }, 500)],
    ['204', 'bad_status', (response) => response.writeHead(204).end()],
    ['403', 'bad_status', (response) => answerJson(response, { claims: {} }, 403)],
    [
      'a redirect',
      'bad_status',
      (response) => response.writeHead(307, { location: hookServer.url }).end(),
    ],
    ['no JSON', 'unusable_answer', (response) => response.end('claims')],
    ['nothing', 'unusable_answer', (response) => response.end()],
    ['a list', 'unusable_answer', (response) => answerJson(response, [])],
    ['no claims', 'unusable_answer', (response) => answerJson(response, { plan: 'pro' })],
    [
      'claims that are a list',
      'unusable_answer',
      (response) => answerJson(response, { claims: [] }),
    ],
    ['a name twice', 'unusable_answer', (response) => response.end('{"claims":{"a":1,"a":2}}')],
    [
      'broken UTF-8',
      'unusable_answer',
      (response) => response.end(Buffer.from('7b22ff227d', 'hex')),
    ],
    ['a NUL', 'unusable_answer', (response) => response.end('{"claims":{"a":"x\\u0000"}}')],
    [
      'half a character',
      'unusable_answer',
      (response) => response.end('{"claims":{"a":"\\ud800"}}'),
    ],
    [
      'too deep a nesting',
      'unusable_answer',
      (response) => answerJson(response, { claims: { a: [[[[[1]]]]] } }),
    ],
    [
      'more than 2 KB of claims',
      'unusable_answer',
      (response) => answerJson(response, { claims: { a: 'x'.repeat(2040) } }),
    ],
    [
      'more than 16 KiB',
      'unusable_answer',
      (response) => response.end(`{"claims":{}}${' '.repeat(16 * 1024)}`),
    ],
    ['a broken connection', 'unreachable', (response) => response.destroy()],
    [
      'half of an answer',
      'unreachable',
      (response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"claims"');
        setTimeout(() => response.destroy(), 50);
      },
    ],
    ['nothing in time', 'timeout', () => {}],
    [
      'a drip',
      'timeout',
      (response) => {
        const timer = setInterval(() => response.write(' '), 100);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('that answers %s denies the token, or is skipped: %s', async (_title, reason, answer) => {
    hookServer.answers(answer);
    const { extend, counted, logged } = hooks();
    await expect(extend(hooked(), question)).rejects.toMatchObject(failing);
    expect(await extend(hooked('skip'), question)).toEqual(question.claims);
    expect(counted).toEqual([reason, reason]);
    expect(logged).toMatchObject([
      { resource: 'rs1', reason, on_failure: 'deny' },
      { resource: 'rs1', reason, on_failure: 'skip' },
    ]);
    expect(JSON.stringify(logged)).not.toContain(secret);
    expect(hookServer.requests).toHaveLength(2); // no redirect was followed, nothing was asked twice
  });

  test.each([
    'constructor',
    'error',
    'sub',
    'scope',
    'cnf',
    'act',
    'aud',
    'exp',
    'active',
    'username',
    'a b',
    '',
    '9',
  ])('MUST NOT set the claim %j', async (name) => {
    hookServer.answers((response) => answerJson(response, { claims: { [name]: 'x' } }));
    const { extend, counted } = hooks();
    await expect(extend(hooked(), question)).rejects.toMatchObject(failing);
    expect(counted).toEqual(['unusable_answer']);
  });

  test('cannot reach the prototype of anything', async () => {
    hookServer.answers((response) =>
      response.end('{"claims":{"__proto__":{"admin":true},"plan":"pro"}}'),
    );
    const claims = await hooks().extend(hooked(), question);
    expect(claims).toEqual({ plan: 'pro', role: 'guest' });
    expect(Object.getPrototypeOf(claims)).toBe(Object.prototype);
  });

  test('that nobody listens at, or whose secret does not open, fails without a call', async () => {
    const nobody = hooked('deny', 'http://127.0.0.1:1/');
    const { extend, counted } = hooks();
    await expect(extend(nobody, question)).rejects.toMatchObject(failing);
    const locked = hooks({ opens: false });
    await expect(locked.extend(hooked(), question)).rejects.toMatchObject(failing);
    expect([...counted, ...locked.counted]).toEqual(['unreachable', 'unreadable_secret']);
    expect(hookServer.requests).toEqual([]);
  });
});

describe('a hook that is down', () => {
  test('is not down when it answers something of no use in between', async () => {
    const { extend } = hooks();
    const answers = async (status: number) => {
      hookServer.answers((response) => answerJson(response, {}, status));
      await expect(extend(hooked(), question)).rejects.toThrow();
    };
    for (let call = 1; call < hookRest.failures; call += 1) await answers(503);
    await answers(400);
    await answers(503);
    hookServer.answers((response) => answerJson(response, { claims: {} }));
    expect(await extend(hooked(), question)).toEqual(question.claims);
  });

  test('rests after repeated failures and is asked again later', async () => {
    hookServer.answers((response) => answerJson(response, {}, 503));
    const { extend, counted, advance } = hooks();
    for (let call = 0; call < hookRest.failures; call += 1) {
      await expect(extend(hooked(), question)).rejects.toThrow();
    }
    const resting = { ...failing, headers: { 'Retry-After': String(hookRest.pause) } };
    await expect(extend(hooked(), question)).rejects.toMatchObject(resting);
    expect(hookServer.requests).toHaveLength(hookRest.failures);
    expect(counted.at(-1)).toBe('resting');
    hookServer.answers((response) => answerJson(response, { claims: {} }));
    advance(hookRest.pause);
    expect(await extend(hooked(), question)).toEqual(question.claims);
    expect(await extend(hooked(), question)).toEqual(question.claims);
  });

  test.each<[string, unknown, number]>([
    ['a reserved claim', { claims: { sub: 'x' } }, 200],
    ['403', {}, 403],
    ['too much', { claims: { a: 'x'.repeat(17_000) } }, 200],
  ])('one account for which it answers %s MUST NOT stop the others', async (_, answer, status) => {
    const { extend } = hooks();
    hookServer.answers((response) => answerJson(response, answer, status));
    for (let call = 0; call <= hookRest.failures; call += 1) {
      await expect(extend(hooked(), question)).rejects.toThrow();
    }
    hookServer.answers((response) => answerJson(response, { claims: {} }));
    expect(await extend(hooked(), question)).toEqual(question.claims);
  });
});
