import { expect } from 'vitest';
import { good, type Tokens, tokens } from '../provider/flow.testing.ts';
import { alice, type TestServer } from '../provider/server.testing.ts';

/** The workspace API as clients name it. */
export const apiOf = ({ url }: Pick<TestServer, 'url'>): string => `${url}/api`;

/** Somebody's tokens for the workspace API, got by the public client in a browser. */
export function apiTokens(
  server: TestServer,
  scope: string,
  { person = alice, ...changes }: { person?: typeof alice; client_id?: string } = {},
): Promise<Tokens> {
  const asked = { resource: apiOf(server), scope, prompt: 'consent', ...changes };
  return tokens(server, good(asked), { person });
}

/** Calls the API as a program does. */
export function call(
  server: TestServer,
  path: string,
  { token, ...init }: RequestInit & { token?: string } = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  return fetch(`${server.url}${path}`, { ...init, headers });
}

/** A refusal of the API: JSON that nobody caches, with a trace id. @returns its challenge */
export async function apiRefused(
  response: Response,
  status: number,
  error: string,
): Promise<string> {
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status });
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(JSON.parse(text)).toEqual({
    error,
    error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
    trace_id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{10}$/),
  });
  return response.headers.get('www-authenticate') ?? '';
}
