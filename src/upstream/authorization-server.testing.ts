import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;

/** What an authorization server of a test says; each may be replaced. */
export interface Manners {
  challenge: string;
  resourceMetadata: Json;
  serverMetadata: Json;
  /** The answer to a registration. */
  registration: Json;
  /** Over the good answer of the token endpoint. */
  token: Json;
  /** In place of it: what is written is sent. */
  raw?: { status: number; type: string; body: string };
  /** Milliseconds before the token endpoint answers. */
  delay: number;
}

/** An MCP server that is its own authorization server, with strict rotation and with bad manners on demand. */
export interface StrangeServer {
  origin: string;
  /** Address of the MCP server. */
  url: string;
  manners: Manners;
  /** Every request but those of browsers: `POST /token …form`. */
  requests: { path: string; method: string; form: URLSearchParams; body: string; headers: Json }[];
  /** Refreshes that came with a good refresh token, and those that came with one that was used up. */
  refreshed: number;
  reused: number;
  revoked: string[];
  /** What a browser brings back after somebody allowed it. */
  allow(authorizeUrl: string | URL, changes?: Record<string, string>): URL;
  close(): Promise<void>;
}

export async function startStrangeServer(): Promise<StrangeServer> {
  const codes = new Map<string, string>();
  let current = new Set<string>();
  const listener = createServer((req, res) => void answer(req, res));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = listener.address();
  if (typeof address !== 'object' || !address) throw new Error('no address');
  const origin = `http://127.0.0.1:${address.port}`;
  const url = `${origin}/mcp`;

  const server: StrangeServer = {
    ...{ origin, url, requests: [], refreshed: 0, reused: 0, revoked: [] },
    manners: {
      challenge: `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp", scope="read"`,
      resourceMetadata: {
        resource: url,
        authorization_servers: [origin],
        scopes_supported: ['read', 'write'],
      },
      serverMetadata: {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        revocation_endpoint: `${origin}/revoke`,
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
      },
      registration: { client_secret: 'upstream-client-secret' },
      token: {},
      delay: 0,
    },
    allow(authorizeUrl, changes = {}) {
      const { searchParams: asked } = new URL(authorizeUrl);
      const code = `code-${randomUUID()}`;
      codes.set(code, asked.get('redirect_uri') ?? '');
      const back = new URL(asked.get('redirect_uri') ?? '');
      const sent = { code, state: asked.get('state') ?? '', iss: origin, ...changes };
      for (const [name, value] of Object.entries(sent)) back.searchParams.set(name, value);
      return back;
    },
    async close() {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const { pathname: path } = new URL(req.url ?? '/', origin);
    const form = new URLSearchParams(body);
    server.requests.push({
      path,
      method: req.method ?? '',
      form,
      body,
      headers: { ...req.headers },
    });
    const { manners } = server;
    const send = (status: number, json: Json, headers: Record<string, string> = {}) => {
      res.writeHead(status, { 'content-type': 'application/json', ...headers });
      res.end(JSON.stringify(json));
    };
    switch (path) {
      case '/mcp':
        return send(401, {}, { 'www-authenticate': manners.challenge });
      case '/.well-known/oauth-protected-resource/mcp':
        return send(200, manners.resourceMetadata);
      case '/.well-known/oauth-authorization-server':
        return send(200, manners.serverMetadata);
      case '/register':
        return send(201, {
          client_id: `dcr-${randomUUID()}`,
          ...JSON.parse(body),
          ...manners.registration,
        });
      case '/revoke':
        server.revoked.push(form.get('token') ?? '');
        return send(200, {});
      case '/token':
        return tokens(form, res, send);
      default:
        return send(404, {});
    }
  }

  async function tokens(
    form: URLSearchParams,
    res: ServerResponse,
    send: (status: number, json: Json) => void,
  ): Promise<void> {
    const { manners } = server;
    if (manners.delay > 0) await new Promise((resolve) => setTimeout(resolve, manners.delay));
    if (manners.raw) {
      res.writeHead(manners.raw.status, { 'content-type': manners.raw.type });
      res.end(manners.raw.body);
      return;
    }
    if (form.get('grant_type') === 'refresh_token') {
      const presented = form.get('refresh_token') ?? '';
      if (!current.delete(presented)) {
        server.reused += 1;
        current = new Set(); // strict: a reuse ends the whole family
        return send(400, { error: 'invalid_grant' });
      }
      server.refreshed += 1;
    } else if (codes.get(form.get('code') ?? '') !== form.get('redirect_uri')) {
      return send(400, { error: 'invalid_grant' });
    } else codes.delete(form.get('code') ?? '');
    const refreshToken = `refresh-${randomUUID()}`;
    current.add(refreshToken);
    send(200, {
      access_token: `access-${randomUUID()}`,
      token_type: 'Bearer',
      expires_in: 300,
      refresh_token: refreshToken,
      scope: 'read',
      ...manners.token,
    });
  }

  return server;
}
