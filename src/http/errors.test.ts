import createRouter from '@koa/router';
import type { Context } from 'koa';
import { describe, expect, it } from 'vitest';
import { OAuthError } from '../oauth/index.ts';
import type { ErrorOrigin } from './error-page.ts';
import { renderError } from './errors.ts';
import { jsonOf, reply, testApp } from './http.testing.ts';

const browser = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };
const failing = (error: unknown) =>
  testApp([
    () => {
      throw error;
    },
  ]);

/** As the OAuth library makes them. */
function libraryError(status: number, code: string, members: object = {}): Error {
  return Object.assign(
    new Error(code),
    { expose: status < 500, status, statusCode: status, error: code },
    members,
  );
}

describe('an error for a program', () => {
  it('is JSON with code, description and trace id, not to be stored (RFC 6749 §5.2)', async () => {
    await using app = await failing(
      new OAuthError('invalid_target', 'Send "https://mcp.example/mcp".'),
    );
    const answer = await app.fetch('/');
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const body = await jsonOf(answer);
    expect(body).toEqual({
      error: 'invalid_target',
      error_description: "Send 'https://mcp.example/mcp'.",
      trace_id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{10}$/),
    });
  });

  it('has its full reason in the log line of the same trace id', async () => {
    const cause = new Error('socket hang up');
    await using app = await failing(
      new OAuthError('invalid_client', 'unknown client', { cause, detail: { clientId: 'c1' } }),
    );
    const { trace_id } = await jsonOf(await app.fetch('/'));
    expect(app.lines).toContainEqual(
      expect.objectContaining({
        trace_id,
        error: 'invalid_client',
        reason: { clientId: 'c1' },
        cause: 'socket hang up',
      }),
    );
  });

  it('that we did not foresee says nothing about its cause, which is logged', async () => {
    await using app = await failing(new Error('SELECT secret FROM /etc/passwd'));
    const answer = await app.fetch('/');
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(JSON.parse(text).error).toBe('server_error');
    expect(text).not.toMatch(/SELECT|passwd|errors\.test/);
    expect(JSON.stringify(app.lines)).toContain('SELECT secret FROM');
    expect(app.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  it.each([
    'a thrown text',
    undefined,
    null,
    42,
    { status: 200, expose: true },
    { status: 700, expose: true },
  ])('that is no error at all (%j) is still a 500', async (thrown) => {
    await using app = await failing(thrown);
    expect((await app.fetch('/')).status).toBe(500);
  });

  it('of an unreachable database is 503 with Retry-After', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:5432'), {
      code: 'ECONNREFUSED',
    });
    await using app = await failing(refused);
    const answer = await app.fetch('/');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    const body = await answer.text();
    expect(JSON.parse(body).error).toBe('temporarily_unavailable');
    expect(body).not.toContain('10.0.0.5');
  });

  it('carries its own status and headers, and 429 always says when to retry', async () => {
    await using own = await failing(
      new OAuthError('temporarily_unavailable', 'slow', {
        status: 429,
        headers: { 'Retry-After': '7' },
      }),
    );
    await using bare = await failing(
      new OAuthError('temporarily_unavailable', 'slow', { status: 429 }),
    );
    expect((await own.fetch('/')).headers.get('retry-after')).toBe('7');
    const answer = await bare.fetch('/');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '5']);
  });

  it('401 names the scheme to use, unless the error brings its challenge', async () => {
    await using client = await failing(new OAuthError('invalid_client', 'unknown'));
    await using nonce = await failing(
      new OAuthError('invalid_token', 'no', {
        headers: { 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"' },
      }),
    );
    expect((await client.fetch('/')).headers.get('www-authenticate')).toBe(
      'Basic realm="localhost:9000"',
    );
    expect((await nonce.fetch('/')).headers.get('www-authenticate')).toBe(
      'DPoP error="use_dpop_nonce"',
    );
  });
});

describe('an error of the OAuth library', () => {
  it('keeps its code, status and description, made safe; its detail is for the log', async () => {
    await using app = await failing(
      libraryError(401, 'invalid_client', {
        error_description: 'failed "here"\u00e9',
        error_detail: 'secret mismatch',
      }),
    );
    const answer = await app.fetch('/');
    const text = await answer.text();
    expect(answer.status).toBe(401);
    expect(JSON.parse(text)).toMatchObject({
      error: 'invalid_client',
      error_description: "failed 'here'?",
    });
    expect(text).not.toContain('mismatch');
    expect(JSON.stringify(app.lines)).toContain('secret mismatch');
  });

  it('that must not be exposed is server_error', async () => {
    await using app = await failing(
      libraryError(500, 'server_error', { error_description: 'inner text' }),
    );
    const answer = await app.fetch('/');
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('inner text');
  });
});

describe('what nobody handles', () => {
  const router = new createRouter();
  router.post(
    '/oauth/token',
    reply(() => 'ok'),
  );
  const app = () => testApp((koa) => koa.use(router.routes()).use(router.allowedMethods()));

  it('is 404 in both forms, with nothing of the path in it', async () => {
    await using server = await app();
    const json = await server.fetch('/<svg onload=alert(1)>?x=<script>');
    expect([json.status, (await jsonOf(json)).error]).toEqual([404, 'invalid_request']);
    const page = await server.fetch('/<svg onload=alert(1)>', browser);
    expect([page.status, page.headers.get('content-type')]).toEqual([
      404,
      'text/html; charset=utf-8',
    ]);
    expect(await page.text()).not.toContain('svg onload');
  });

  it.each(['GET', 'PUT', 'PROPFIND', 'SEARCH'])(
    '%s to a POST address is 405 with Allow',
    async (method) => {
      await using server = await app();
      const answer = await server.fetch('/oauth/token', { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('POST');
      expect((await jsonOf(answer)).error_description).toBe('Use POST here.');
    },
  );

  it('a handled empty answer stays as it is', async () => {
    await using server = await testApp([
      (ctx) => {
        ctx.status = 204;
      },
    ]);
    expect((await server.fetch('/')).status).toBe(204);
  });
});

describe('an error for a person', () => {
  it('is a page with description, code and trace id, inert whatever was sent', async () => {
    await using app = await failing(
      new OAuthError('invalid_request', `<svg onload=alert(1)>'"{{7*7}}`),
    );
    const answer = await app.fetch('/', browser);
    const text = await answer.text();
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(answer.headers.get('cross-origin-opener-policy')).toBeNull();
    expect(text).toContain('&lt;svg onload=alert(1)&gt;');
    expect(text).not.toContain('<svg onload');
    expect(text).toContain('<code>invalid_request</code>');
    expect(text).toMatch(/<dt>Trace<\/dt><dd><code>[0-9A-Z]{10}<\/code>/);
  });

  it('prefers JSON when the caller takes anything, as programs do', async () => {
    await using app = await failing(new OAuthError('invalid_request', 'x'));
    const answer = await app.fetch('/', { headers: { accept: '*/*' } });
    expect(answer.headers.get('content-type')).toContain('json');
  });

  const goingBack = (back: ErrorOrigin) =>
    testApp([(ctx: Context) => renderError(ctx, new OAuthError('invalid_scope', 'no'), back)]);

  it('before sign-in names the host of an unverified client and links there, never redirects (RFC 9700 §4.11.2)', async () => {
    await using app = await goingBack({
      url: 'https://app.example/cb?error=invalid_scope&state=a&x=b',
      host: 'app.example',
      clientName: '<b>Evil</b>',
    });
    const answer = await app.fetch('/', browser);
    const text = await answer.text();
    expect(answer.headers.get('location')).toBeNull();
    expect(text).toContain('<p class="host"><bdi>app.example</bdi></p>');
    expect(text).toContain('href="https://app.example/cb?error=invalid_scope&amp;state=a&amp;x=b"');
    expect(text).toContain('&lt;b&gt;Evil&lt;/b&gt;');
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'http://evil.test/cb'])(
    'never links to %s',
    async (url) => {
      await using app = await goingBack({ url, host: 'x' });
      expect(await (await app.fetch('/', browser)).text()).not.toContain(
        `href="${url.slice(0, 8)}`,
      );
    },
  );
});
