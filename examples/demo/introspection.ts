import type { McpServer } from './server-config.ts';
import { parseObject } from './show.ts';

/** What the authorization server tells an MCP server about a token for it (RFC 7662). */
export type Introspect = (token: string) => Promise<Record<string, unknown>>;

/** Asks as the MCP server does; the kit does the same at every call. */
export function introspectAs({ clientId, clientSecret }: McpServer, issuer: string): Introspect {
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  return async (token) => {
    const response = await fetch(`${issuer}/oauth/introspect`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({ token }),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`Introspection answered ${response.status}.`);
    return parseObject(text);
  };
}
