import { signingAlgorithms } from './jwt.ts';
import type { Settings } from './options.ts';

const prm = '/.well-known/oauth-protected-resource';
const serverMetadata = '/.well-known/oauth-authorization-server';

/** Where the protected resource metadata lies: inserted between host and path (RFC 9728 §3.1). */
export function metadataUrl({ resourceUrl }: Pick<Settings, 'resourceUrl'>): string {
  return `${resourceUrl.origin}${prm}${resourcePath(resourceUrl)}`;
}

const resourcePath = (resourceUrl: URL) => resourceUrl.pathname.replace(/\/$/, '');

/**
 * Which of our documents a path asks for. The root is answered too: MCP clients look there when the inserted path fails,
 * and those of 2025-03-26 look for the server's metadata on the MCP server's origin.
 */
export function documentAt(
  path: string,
  { resourceUrl, serveMetadata }: Pick<Settings, 'resourceUrl' | 'serveMetadata'>,
): 'protected-resource' | 'authorization-server' | undefined {
  const inserted = resourcePath(resourceUrl);
  if (path === prm || path === `${prm}${inserted}`) return 'protected-resource';
  if (!serveMetadata) return undefined;
  if (path === serverMetadata || path === `${serverMetadata}${inserted}`) {
    return 'authorization-server';
  }
  return undefined;
}

/** Protected resource metadata (RFC 9728 §2); `resource` is byte-equal to the configured one. */
export function protectedResourceMetadata(settings: Settings): Record<string, unknown> {
  return {
    resource: settings.resource,
    authorization_servers: [settings.issuer],
    scopes_supported: settings.scopes,
    bearer_methods_supported: ['header'],
    ...(settings.resourceName === undefined ? {} : { resource_name: settings.resourceName }),
    ...(settings.dpop === 'off' ? {} : { dpop_signing_alg_values_supported: signingAlgorithms }),
    ...(settings.dpop === 'required' ? { dpop_bound_access_tokens_required: true } : {}),
  };
}
