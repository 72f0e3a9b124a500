import { expect, it } from 'vitest';
import { OAuthError } from '../oauth/index.ts';
import { cors } from './cors.ts';
import { reply, testApp } from './http.testing.ts';

const open = cors(['/oauth/token', '/.well-known/oauth-protected-resource/']);
const preflight = {
  method: 'OPTIONS',
  headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
};
const answer = testApp.bind(null, [open, reply(() => 'ok')]);

it('a preflight to an open path allows what MCP clients send, for any origin', async () => {
  await using app = await answer();
  const { status, headers } = await app.fetch('/oauth/token', preflight);
  expect(status).toBe(204);
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(headers.get('access-control-allow-headers')).toBe(
    'content-type, authorization, dpop, mcp-protocol-version',
  );
  expect(headers.get('access-control-max-age')).toBe('7200');
});

it('answers of open paths can be read with their challenges, never with credentials', async () => {
  await using app = await answer();
  for (const path of ['/oauth/token', '/.well-known/oauth-protected-resource/mcp']) {
    const { headers } = await app.fetch(path, {
      headers: { origin: 'https://evil.test', cookie: 'a=b' },
    });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('access-control-expose-headers')).toBe(
      'www-authenticate, dpop-nonce, retry-after',
    );
  }
});

it('errors of open paths can be read too', async () => {
  await using app = await testApp([
    open,
    () => {
      throw new OAuthError('invalid_grant', 'no');
    },
  ]);
  const { status, headers } = await app.fetch('/oauth/token', { method: 'POST' });
  expect([status, headers.get('access-control-allow-origin')]).toEqual([400, '*']);
});

it.each(['/oauth/authorize', '/login/x', '/oauth/token/x', '/oauth/TOKEN', '/.well-known'])(
  '%s names no origin and answers no preflight',
  async (path) => {
    await using app = await testApp([open]);
    const { status, headers } = await app.fetch(path, preflight);
    expect(status).toBe(404);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('access-control-allow-methods')).toBeNull();
  },
);
