import type { Context } from 'koa';
import { type Fields, readForm, readQuery } from '../http/index.ts';
import { callLibrary } from './bridge.ts';
import type { ProviderDeps } from './deps.ts';
import { requireInteraction } from './interaction.ts';
import { privateParameters } from './prompts.ts';
import type { LiveProvider } from './provider.ts';

const longestForm = 64 * 1024;

/**
 * OpenID Connect's own parameters. We are no OpenID provider, so they are unknown parameters, which
 * RFC 6749 §3.1 tells to ignore; the library would refuse them without the openid scope.
 */
const ignored = new Set([
  'acr_values',
  'claims',
  'claims_locales',
  'display',
  'id_token_hint',
  'max_age',
  'nonce',
  'ui_locales',
  ...privateParameters,
]);

/** `GET|POST /oauth/authorize` (RFC 6749 §3.1): the same parameters either way. */
export function authorize(deps: ProviderDeps, live: LiveProvider) {
  return async (ctx: Context): Promise<void> => {
    const sent = ctx.method === 'POST' ? await readForm(ctx, longestForm) : readQuery(ctx);
    const form = referringForm(sent) ?? authorizationForm(deps, sent);
    const crossSite = ctx.get('sec-fetch-site') === 'cross-site';
    ctx.state.page = true;
    await callLibrary(ctx, { handle: live.handle, ...issuerOf(deps) }, '/oauth/authorize', form, {
      form: sent,
      crossSite,
    });
  };
}

/** `GET /oauth/authorize/{uid}`: on after a sign-in or a consent page. */
export function resume(deps: ProviderDeps, live: LiveProvider) {
  return async (ctx: Context): Promise<void> => {
    await requireInteraction(live.current, ctx.params.uid, { device: false });
    const path = `/oauth/authorize/${encodeURIComponent(ctx.params.uid)}`;
    ctx.state.page = true;
    await callLibrary(ctx, { handle: live.handle, ...issuerOf(deps) }, path, {}, { form: {} });
  };
}

/** Issuer and base path, as the bridge wants them. */
export function issuerOf({ config, base }: ProviderDeps): { issuer: URL; base: string } {
  return { issuer: new URL(config.server.issuer), base };
}

/** The parameters of an authorization request that the library shall see, however they arrived. */
export function authorizationForm({ resources }: ProviderDeps, sent: Fields): Fields {
  const kept = Object.entries(sent).filter(([name]) => !isIgnored(name, sent));
  return {
    ...Object.fromEntries(kept),
    ...(sent.resource === undefined ? {} : { resource: registeredUris(resources, sent.resource) }),
  };
}

/** How every `request_uri` of ours begins (RFC 9126 §2.2). */
const requestUriPrefix = 'urn:ietf:params:oauth:request_uri:';

/**
 * The authorization request that refers to a pushed one: only what was pushed counts (RFC 9101 §5), so
 * nothing that stands beside the reference can decide where an error goes.
 */
function referringForm(sent: Fields): Fields | undefined {
  const { client_id, request_uri } = sent;
  if (typeof request_uri !== 'string' || !request_uri.startsWith(requestUriPrefix))
    return undefined;
  return { client_id, request_uri };
}

/** `response_mode` matters for codes only: other response types are refused, each in its own mode. */
function isIgnored(name: string, sent: Fields): boolean {
  return ignored.has(name) || (name === 'response_mode' && sent.response_type !== 'code');
}

/** Known resources by their registered URI (RFC 8707 §2); unknown ones as sent, to be refused. */
export function registeredUris(
  resources: ProviderDeps['resources'],
  sent: string | string[],
): string | string[] {
  const uris = [...new Set([sent].flat().map((uri) => resources.resolve(uri)?.uri ?? uri))];
  return uris.length === 1 && uris[0] !== undefined ? uris[0] : uris;
}
