import { expect, vi } from 'vitest';
import { hashId } from '../db/index.ts';
import type { Tokens } from './flow.testing.ts';
import type { TestServer } from './server.testing.ts';

/** The Authorization header of client_secret_basic (RFC 6749 §2.3.1). */
export function basic(clientId: string, secret: string): { authorization: string } {
  const credentials = [clientId, secret].map(encodeURIComponent).join(':');
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** A successful token response that nobody may cache (RFC 6749 §5.1). */
export async function granted(response: Response): Promise<Tokens> {
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status: 200 });
  expect(response.headers.get('cache-control')).toBe('no-store');
  return JSON.parse(text);
}

/** A refusal as every one must be: JSON, no-store, a printable description, a trace id (RFC 6749 §5.2). */
export async function refused(response: Response, status: number, error: string) {
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status });
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const body: Record<string, unknown> = JSON.parse(text);
  expect(body).toEqual({
    error,
    error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
    trace_id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{10}$/),
  });
  if (status === 401) expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  return body;
}

/** Whether a token is active, as the resource server RS1 is told (RFC 7662). */
export async function isActive(server: TestServer, token: string, secret: string) {
  const answer = await server.post('/oauth/introspect', { token }, basic('RS1', secret));
  const body: { active: boolean } = JSON.parse(await answer.text());
  return body.active;
}

/** What the server has stored of a code or refresh token. */
export async function stored(server: TestServer, token: string) {
  const found = server.db.kysely.selectFrom('artifacts').selectAll();
  return found.where('id', '=', hashId(token)).executeTakeFirstOrThrow();
}

/**
 * Stops the clock of this process and of the library in it, which the server's own clock is not; it
 * goes on by `advance`, in seconds.
 */
export function ownClock() {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  return {
    advance: (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000),
    release: () => vi.useRealTimers(),
  };
}
