import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProtectMcpOptions, protectMcp } from './index.ts';
import { startTestIssuer, type TestIssuer } from './issuer.testing.ts';
import { bearer, granted, post, refused, resource, toolCall } from './requests.testing.ts';

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(() => issuer.close());

const kit = (options: Partial<ProtectMcpOptions> = {}) =>
  protectMcp({
    issuer: issuer.issuer,
    resource,
    scopes: ['read', 'write', 'docs'],
    toolScopes: { look: 'read', change: ['read', 'write'], search_docs: 'docs', open: [] },
    implies: { write: 'read' },
    dpop: 'off',
    ...options,
  });

describe('scopes per tool', () => {
  const as = async (scope: string, body: string | Uint8Array<ArrayBuffer>) =>
    kit().handle(post(bearer(await issuer.mint(resource, { scope })), body));

  it('a tool whose scope is missing MUST be answered 403 with ALL scopes that the call needs, before dispatch (RFC 6750 3.1)', async () => {
    const answer = await refused(await as('read', toolCall('change')));
    expect(answer).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } });
    expect(answer.challenge).toBe(
      'Bearer resource_metadata="https://mcp.test/.well-known/oauth-protected-resource/mcp", scope="read write", error="insufficient_scope", error_description="This call needs the scope read write"',
    );
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('does not repeat what was granted and is not needed (SEP-2350)', async () => {
    const answer = await refused(await as('read write', toolCall('search_docs')));
    expect(answer.challenge).toContain('scope="docs"');
  });

  it('lets a call through whose scopes are there, directly or by the hierarchy', async () => {
    await granted(await as('read', toolCall('look')));
    await granted(await as('write', toolCall('change')));
  });

  it('asks only a valid token for a tool without entry and for every other method', async () => {
    await granted(await as('', toolCall('free')));
    await granted(await as('', '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'));
    await granted(await as('', '{"jsonrpc":"2.0","id":1,"result":{}}'));
  });

  it('judges a batch by the union of its calls', async () => {
    const answer = await refused(
      await as('read', `[${toolCall('look')},${toolCall('search_docs')}]`),
    );
    expect(answer.challenge).toContain('scope="read docs"');
  });

  it('judges the last of two equal members, as the MCP server will', async () => {
    const body =
      '{"method":"ping","method":"tools/call","params":{"name":"look","name":"search_docs"}}';
    expect((await refused(await as('read', body))).status).toBe(403);
  });

  it('judges escaped names as what they mean', async () => {
    const body = toolCall('search_docs').replace('search', '\\u0073earch');
    expect((await refused(await as('read', body))).status).toBe(403);
  });

  it.each([
    ['a byte order mark before it', `\uFEFF${toolCall('search_docs')}`],
    ['space around it', ` \r\n\t${toolCall('search_docs')}\n `],
    [
      'members of Object.prototype beside it',
      '{"__proto__":{"method":"ping"},"constructor":1,"method":"tools/call","params":{"__proto__":{},"name":"search_docs"}}',
    ],
    [
      'a second method before it',
      '{"method":"a","method":"tools/call","params":{"name":"search_docs"}}',
    ],
    ['an escaped member', '{"m\\u0065thod":"tools/call","params":{"n\\u0061me":"search_docs"}}'],
    ['an id that is null', '{"id":null,"method":"tools/call","params":{"name":"search_docs"}}'],
    [
      'no id, as a notification',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"search_docs"}}',
    ],
    [
      'a result beside it',
      '{"id":1,"result":{},"method":"tools/call","params":{"name":"search_docs"}}',
    ],
  ])('are not evaded by %s', async (_, body) => {
    expect((await refused(await as('read', body))).status).toBe(403);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])(
    'do not take a tool named %j for what every object has',
    async (name) => {
      await granted(await as('', toolCall(name)));
      expect((await refused(await strict(toolCall(name)))).status).toBe(403);
    },
  );

  const strict = async (body: string) => {
    const token = await issuer.mint(resource, { scope: 'read write docs' });
    return kit({ unlistedTools: 'deny' }).handle(post(bearer(token), body));
  };

  it('refuse a tool without entry where the author wants that, and say nothing of scopes, which would not help', async () => {
    for (const body of [
      toolCall('free'),
      '{"method":"tools/call"}',
      `[${toolCall('look')},${toolCall('free')}]`,
    ]) {
      const answer = await refused(await strict(body));
      expect(answer.status).toBe(403);
      expect(answer.challenge).toBeNull();
      expect(answer.body.error).toMatchObject({ code: -32602 });
    }
    await granted(await strict(toolCall('look')));
    await granted(await strict(toolCall('open')));
    await granted(await strict('{"jsonrpc":"2.0","id":1,"method":"tools/list"}'));
  });

  it('judge a body of a hundred thousand levels or four thousand calls in linear time', async () => {
    const started = performance.now();
    const deep = await as('read', `${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    if (!('auth' in deep)) expect(deep.status).toBe(400);
    const calls = Array.from({ length: 4_000 }, () => toolCall('search_docs')).join(',');
    expect((await refused(await as('read', `[${calls}]`))).status).toBe(403);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it.each([
    ['not JSON', '{"method":', 400],
    ['UTF-16', new Uint8Array(Buffer.from(toolCall('search_docs'), 'utf16le')), 400],
    [
      'UTF-16 with its mark',
      new Uint8Array(Buffer.from(`\uFEFF${toolCall('free')}`, 'utf16le')),
      400,
    ],
    ['two values', '{}{"method":"tools/call"}', 400],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400],
    ['larger than the limit', `"${'x'.repeat(4 * 1024 * 1024)}"`, 413],
  ])('refuses a body that cannot be judged: %s', async (_, body, status) => {
    const answer = await refused(await as('read write docs', body));
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ jsonrpc: '2.0', id: null, error: {} });
  });

  it('refuses a compressed body 415, which it could not judge', async () => {
    const token = await issuer.mint(resource);
    const headers = { ...bearer(token), 'content-encoding': 'gzip' };
    expect((await refused(await kit().handle(post(headers, 'x')))).status).toBe(415);
  });

  it('does not read the body of a request without a valid token', async () => {
    const request = post(bearer('x.y.z'), toolCall('look'));
    await refused(await kit().handle(request));
    expect(request.bodyUsed).toBe(false);
  });

  it('hands on a request whose body can still be read', async () => {
    const result = await granted(await as('read', toolCall('look')));
    const { body, request } = result;
    expect(await request.text()).toBe(toolCall('look'));
    expect(body).toMatchObject({ method: 'tools/call' });
  });
});
