import Provider from 'oidc-provider';
import { afterEach, expect, test, vi } from 'vitest';
import { refresh, tokens } from './flow.testing.ts';
import { internalsOf, removeFormPost } from './internals.ts';
import { startServer } from './server.testing.ts';

afterEach(() => vi.restoreAllMocks());

test('what this room reads of the library is still there under its name', () => {
  vi.spyOn(console, 'info').mockReturnValue();
  vi.spyOn(console, 'warn').mockReturnValue();
  const provider = new Provider('https://issuer.test');
  expect(internalsOf(provider).responseModes.has('form_post')).toBe(true);
  removeFormPost(provider);
  expect([...internalsOf(provider).responseModes.keys()].sort()).toEqual(['fragment', 'query']);
  expect(() => internalsOf(Object.create(null))).toThrow(TypeError);
});

test('the library MUST NOT print a NOTICE or WARNING: every default that it marks is set', async () => {
  const info = vi.spyOn(console, 'info');
  const warn = vi.spyOn(console, 'warn');
  const server = await startServer();
  const issued = await tokens(server);
  await refresh(server, issued.refresh_token);
  await server.post('/oauth/revoke', { token: issued.access_token, client_id: 'PUB' });
  await server.close();
  expect([...info.mock.calls, ...warn.mock.calls]).toEqual([]);
});
