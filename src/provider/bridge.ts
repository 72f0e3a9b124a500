import { IncomingMessage } from 'node:http';
import type { ParameterizedContext } from 'koa';
import type Provider from 'oidc-provider';
import type { Fields } from '../http/index.ts';
import type { BridgedRequest, RequestState } from './request-state.ts';

export interface BridgeTarget {
  handle: ReturnType<Provider['callback']>;
  issuer: URL;
  /** Path of the issuer without a trailing slash; empty for a root issuer. */
  base: string;
}

/**
 * Hands a request to the library as it should have been sent: checked parameters, our issuer as the
 * authority whatever the Host header says (RFC 9700 §4.13), no proxy headers, JSON errors for programs.
 *
 * @param path below the issuer, as the library knows it
 * @param form parameters to pass on, already rewritten
 */
export async function callLibrary(
  ctx: ParameterizedContext,
  target: BridgeTarget,
  path: string,
  form: Fields,
  state: RequestState,
): Promise<void> {
  // The library takes authorization requests by POST only from cookies that any site may send.
  const method = path === '/oauth/authorize' ? 'GET' : ctx.method;
  const query = method === 'POST' ? '' : encodeForm(form);
  const body = method === 'POST' ? Buffer.from(encodeForm(form)) : undefined;
  const inner: BridgedRequest = Object.assign(new IncomingMessage(ctx.req.socket), {
    state,
    baseUrl: target.base,
  });
  inner.method = method;
  inner.httpVersion = ctx.req.httpVersion;
  inner.url = query ? `${path}?${query}` : path;
  inner.headers = headersFor(ctx, target.issuer, body);
  if (body) inner.push(body);
  inner.push(null);
  inner.complete = true; // an incomplete message takes its socket down with it
  ctx.respond = false;
  ctx.res.statusCode = 404; // koa's default, which the library relies on
  await target.handle(inner, ctx.res);
}

function headersFor(
  ctx: ParameterizedContext,
  issuer: URL,
  body: Buffer | undefined,
): IncomingMessage['headers'] {
  const { cookie, authorization, dpop, origin, accept } = ctx.req.headers;
  const kept = { cookie, authorization, dpop, origin, accept };
  const headers: IncomingMessage['headers'] = {
    host: issuer.host,
    'x-forwarded-proto': issuer.protocol.slice(0, -1),
  };
  for (const [name, value] of Object.entries(kept)) if (value !== undefined) headers[name] = value;
  if (!ctx.state.page) headers.accept = 'application/json';
  if (body) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    headers['content-length'] = String(body.length);
  }
  return headers;
}

/** Encodes a form, repeating the name of a parameter that was sent more than once. */
export function encodeForm(form: Fields): string {
  const pairs = Object.entries(form).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  );
  return new URLSearchParams(pairs).toString();
}
