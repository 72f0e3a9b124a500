import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protectMcp } from './index.ts';
import { startTestIssuer, type TestIssuer } from './issuer.testing.ts';
import { bearer, granted, post, refused, resource, toolCall } from './requests.testing.ts';

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(() => issuer.close());

const kit = () =>
  protectMcp({
    issuer: issuer.issuer,
    resource,
    scopes: ['read', 'write', 'docs'],
    toolScopes: { look: 'read', change: ['read', 'write'], search_docs: 'docs' },
    implies: { write: 'read' },
    dpop: 'off',
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
    ['not JSON', '{"method":', 400],
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
