import { randomBytes, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

export type DeskToken = {
  scope?: string;
  sub?: string;
  workspaceId?: string;
  /** Seconds from now; a workspace credential has none. */
  expiresIn?: number;
  kind?: 'oauth' | 'personal' | 'credential';
};

/**
 * The answers of an authorization server without one: metadata, introspection and reconnect links, for tests of what
 * an MCP server does with them. Pass `fetch` to the server.
 */
export function createTokenDesk(
  resource: string,
  client: { clientId: string; clientSecret: string },
) {
  const issuer = 'https://auth.test';
  const tokens = new Map<string, Record<string, unknown>>();
  const requests: { path: string; body: string; authorization: string | null }[] = [];
  const state = { linksDown: false, reconnectStatus: 201 };

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const body = await request.text();
    requests.push({ path: pathname, body, authorization: request.headers.get('authorization') });
    if (pathname === '/.well-known/oauth-authorization-server') return Response.json(metadata);
    const right = `Basic ${btoa(`${client.clientId}:${client.clientSecret}`)}`;
    if (request.headers.get('authorization') !== right) {
      return Response.json({ error: 'invalid_client' }, { status: 401 });
    }
    if (pathname === '/oauth/introspect') {
      const token = new URLSearchParams(body).get('token') ?? '';
      return Response.json(tokens.get(token) ?? { active: false });
    }
    if (/^\/api\/workspaces\/[^/]+\/reconnect-links$/.test(pathname)) {
      if (state.linksDown) throw new TypeError('fetch failed');
      const link = { url: `${issuer}/reconnect/abc`, expires_at: '2026-11-21T20:00:00Z' };
      return Response.json(link, { status: state.reconnectStatus });
    }
    return new Response(null, { status: 404 });
  }

  const metadata = {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    response_types_supported: ['code'],
  };
  const desk: typeof fetch = (url, init) => answer(new Request(url, init));

  return {
    issuer,
    fetch: desk,
    state,
    requests,
    /** A token as introspection describes it. */
    issue(ask: DeskToken) {
      const { scope = 'files:read files:write', sub = 'usr_1', workspaceId } = ask;
      const { kind = 'oauth', expiresIn = 900 } = ask;
      const token = checked(`${starts[kind]}${digits(43)}`);
      const now = Math.floor(Date.now() / 1000);
      tokens.set(token, {
        active: true,
        iss: issuer,
        aud: resource,
        token_type: 'Bearer',
        client_id: 'client',
        sub,
        scope,
        iat: now,
        ...(kind !== 'credential' && { exp: now + expiresIn }),
        jti: randomBytes(8).toString('hex'),
        ...(workspaceId !== undefined && { workspace_id: workspaceId }),
      });
      return token;
    },
    revoke: (token: string) => tokens.delete(token),
  };
}

const starts = { oauth: 'ws_oat_', personal: 'ws_pat_', credential: 'wsc_0123456789ab.' };
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const digits = (length: number) =>
  Array.from({ length }, () => alphabet.charAt(randomInt(62))).join('');

/** Tokens end with the CRC-32 of what stands before, in base 62. */
function checked(text: string): string {
  let [rest, end] = [crc32(text), ''];
  for (let digit = 0; digit < 6; digit += 1) {
    end = alphabet.charAt(rest % 62) + end;
    rest = Math.floor(rest / 62);
  }
  return text + end;
}
