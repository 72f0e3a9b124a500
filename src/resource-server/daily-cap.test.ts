import { beforeEach, describe, expect, it } from 'vitest';
import {
  type CapStore,
  memoryCapStore,
  type ProtectMcpOptions,
  type TestTokenOptions,
} from './index.ts';
import { type Watched, watchedIssuer } from './introspection.testing.ts';
import { bearer, granted, post, refused, toolCall } from './requests.testing.ts';

let at: Watched;
let counted: string[];
let store: CapStore;

beforeEach(async () => {
  at = await watchedIssuer();
  counted = [];
  const memory = memoryCapStore(at.now);
  store = {
    increment: async (key, expiresAt) => {
      counted.push(`${key} until ${expiresAt.toISOString()}`);
      return memory.increment(key, expiresAt);
    },
  };
});

const kit = (limit: number, options: Partial<ProtectMcpOptions> = {}) =>
  at.kit({ dailyCap: { limit, store }, ...options });

const both = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

/** Sends bodies one after the other as one workspace. */
async function send(
  protect: ReturnType<typeof kit>,
  body: unknown,
  { accept = both.accept, ...claims }: TestTokenOptions & { accept?: string } = {},
) {
  const token = await at.local.testToken({ workspaceId: 'w1', ...claims });
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return protect.handle(post({ ...bearer(token), ...both, accept }, text));
}

const call = (id: unknown, name = 'look') => ({
  jsonrpc: '2.0',
  ...(id === undefined ? {} : { id }),
  method: 'tools/call',
  params: { name },
});

const sentence =
  'Daily cap reached: this workspace may make 1 tool calls a day (fair use). The counter resets at 2026-11-22T00:00:00Z (midnight UTC); the call was not made.';

async function answered(result: Awaited<ReturnType<typeof send>>): Promise<Response> {
  if ('auth' in result) throw new Error('let through');
  return result;
}

describe('the daily cap', () => {
  it('answers calls beyond it with a tool result that has isError and names cap and reset, by the same id', async () => {
    const protect = kit(1);
    await granted(await send(protect, call(1)));
    const response = await answered(await send(protect, call('second')));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 'second',
      result: {
        resultType: 'complete',
        content: [{ type: 'text', text: sentence }],
        isError: true,
      },
    });
  });

  it('answers by an event stream to a client that takes nothing else', async () => {
    const protect = kit(1);
    await granted(await send(protect, call(1)));
    const response = await answered(await send(protect, call(2), { accept: 'text/event-stream' }));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const [, data = ''] = /^event: message\ndata: (.*)\n\n$/.exec(await response.text()) ?? [];
    expect(JSON.parse(data)).toMatchObject({ id: 2, result: { isError: true } });
  });

  it('does not count the handshake, notifications, discovery and answers', async () => {
    const protect = kit(1);
    for (const method of ['initialize', 'tools/list', 'ping', 'notifications/initialized']) {
      await granted(await send(protect, { jsonrpc: '2.0', id: 1, method }));
    }
    await granted(await send(protect, { jsonrpc: '2.0', id: 1, result: {} }));
    expect(counted).toEqual([]);
  });

  it('does not count what is refused: no token, no scope, a closed tool, a broken body', async () => {
    const protect = kit(1, { unlistedTools: 'deny' });
    await refused(await protect.handle(post({}, toolCall('look'))));
    await refused(await send(protect, call(1, 'change'), { scopes: ['read'] }));
    await refused(await send(protect, call(1, 'unknown')));
    await refused(await send(protect, '{"method":"tools/call"'));
    expect(counted).toEqual([]);
  });

  it('counts by workspace and UTC day, and by person where there is no workspace', async () => {
    const protect = kit(1);
    await granted(await send(protect, call(1)));
    await granted(await send(protect, call(1), { workspaceId: 'w2' }));
    const token = await at.local.testToken({ sub: 'usr_ada' });
    await granted(await protect.handle(post(bearer(token), toolCall('look'))));
    expect(counted).toEqual([
      'w1:2026-11-21 until 2026-11-22T00:00:00.000Z',
      'w2:2026-11-21 until 2026-11-22T00:00:00.000Z',
      'usr_ada:2026-11-21 until 2026-11-22T00:00:00.000Z',
    ]);
  });

  it('begins again at midnight UTC', async () => {
    const protect = kit(1);
    await granted(await send(protect, call(1)));
    at.advance(12 * 3600 - 1);
    await answered(await send(protect, call(2)));
    at.advance(1);
    await granted(await send(protect, call(3)));
  });

  it('counts each call of a batch; one that goes beyond is not dispatched, and every request in it is answered', async () => {
    const protect = kit(3);
    await granted(await send(protect, [call(1), call(2)]));
    const batch = [
      call(3),
      { jsonrpc: '2.0', id: 'list', method: 'tools/list' },
      { jsonrpc: '2.0', method: 'notifications/cancelled' },
      call(4),
      call(undefined),
    ];
    const response = await answered(await send(protect, batch));
    expect(await response.json()).toMatchObject([
      { id: 3, result: { isError: true } },
      { id: 'list', error: { code: -32000 } },
      { id: 4, result: { isError: true } },
    ]);
  });

  it('counts a call that is sent as a notification, and answers it 202', async () => {
    const protect = kit(1);
    await granted(await send(protect, call(undefined)));
    const response = await answered(await send(protect, call(undefined)));
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
  });

  it('holds for calls at the same time', async () => {
    const protect = kit(10);
    const token = await at.local.testToken({ workspaceId: 'w1' });
    const results = await Promise.all(
      Array.from({ length: 40 }, () => protect.handle(post(bearer(token), toolCall('look')))),
    );
    expect(results.filter((result) => 'auth' in result)).toHaveLength(10);
  });

  const broken: [string, () => number | Promise<number>][] = [
    ['fails', () => Promise.reject(new Error('no database'))],
    ['gives no number', () => JSON.parse('null')],
    ['gives NaN', () => Number.NaN],
  ];
  it.each(broken)('MUST fail closed with 503 where the store %s', async (_, increment) => {
    const answer = await refused(
      await send(kit(1, { dailyCap: { limit: 1, store: { increment } } }), call(1)),
    );
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(at.errors).toHaveLength(1);
  });
});

describe('memoryCapStore()', () => {
  it('counts by key and forgets the days that are over', async () => {
    let now = new Date('2026-11-21T23:00:00Z');
    const memory = memoryCapStore(() => now);
    const midnight = new Date('2026-11-22T00:00:00Z');
    expect([memory.increment('a', midnight), memory.increment('a', midnight)]).toEqual([1, 2]);
    expect(memory.increment('b', midnight)).toBe(1);
    now = midnight;
    expect(memory.increment('a', new Date('2026-11-23T00:00:00Z'))).toBe(1);
  });
});
