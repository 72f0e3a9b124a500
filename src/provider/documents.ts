import type { Context } from 'koa';
import { wellKnownPath } from '../oauth/index.ts';
import {
  apiSlug,
  onlyResource,
  protectedResourceMetadata,
  type Resource,
} from '../resources/index.ts';
import type { ProviderDeps } from './deps.ts';
import { openidMetadata, serverMetadata } from './well-known.ts';

type Handler = (ctx: Context) => void;

/**
 * The documents under `/.well-known/`, by absolute path: metadata in every variant that clients try
 * (path-inserted, path-appended, at the root), the JWKS, and hosted protected resource metadata.
 */
export function documents(deps: ProviderDeps): (path: string) => Handler | undefined {
  const { config, resources, keys, base } = deps;
  const { issuer } = config.server;
  const byPath = new Map<string, Handler>();
  const publish = (name: string, handler: Handler) => {
    for (const path of Object.values(wellKnownPath(name, issuer))) byPath.set(path, handler);
  };
  publish('oauth-authorization-server', (ctx) => {
    json(ctx, serverMetadata(config, resources.all(), keys.current().alg));
  });
  publish('openid-configuration', (ctx) => {
    json(ctx, openidMetadata(config, resources.all(), keys.current().alg));
  });
  byPath.set(`${base}/.well-known/jwks.json`, (ctx) => json(ctx, keys.publicJwks()));

  const hosted = [
    `${base}/.well-known/oauth-protected-resource`,
    '/.well-known/oauth-protected-resource',
  ];
  return (path) => {
    const known = byPath.get(path);
    if (known) return known;
    const prefix = hosted.find((one) => path === one || path.startsWith(`${one}/`));
    const resource = prefix && hostedResource(resources, path.slice(prefix.length + 1));
    return resource ? (ctx) => json(ctx, protectedResourceMetadata(resource, issuer)) : undefined;
  };
}

/**
 * By slug, or by the URI's path where exactly one resource has it; without either, the only one. Ours lies at
 * this address itself (RFC 9728 §3), so it goes before any with the same path elsewhere.
 */
function hostedResource(resources: ProviderDeps['resources'], rest: string): Resource | undefined {
  if (rest === '') return onlyResource(resources.all());
  const own = resources.bySlug(apiSlug);
  if (own && new URL(own.uri).pathname === `/${rest}`) return own;
  return resources.bySlug(rest) ?? resources.byPath(`/${rest}`);
}

function json(ctx: Context, body: object): void {
  ctx.set('Cache-Control', 'public, max-age=300');
  ctx.body = body;
}
