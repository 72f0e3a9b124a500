import type { AccessToken } from './jwt.ts';
import type { Settings } from './options.ts';
import { effectiveScopes } from './tool-scopes.ts';

/** Who is calling, in the shape of the MCP SDK's `AuthInfo`. */
export type AuthInfo = {
  token: string;
  clientId: string;
  /** Granted scopes and those they include. */
  scopes: string[];
  /** Epoch seconds. */
  expiresAt: number;
  resource: URL;
  resourceMetadataUrl: string;
  /** The token's claims: `sub`, `jti`, `workspace_id` … */
  extra: Record<string, unknown>;
};

/** What the kit hands to the MCP server about a verified token. */
export function authInfo(
  settings: Settings,
  resourceMetadataUrl: string,
  token: string,
  verified: AccessToken,
): AuthInfo {
  return {
    token,
    clientId: verified.clientId,
    scopes: effectiveScopes(verified.scopes, settings.implies),
    expiresAt: verified.expiresAt,
    resource: new URL(settings.resource),
    resourceMetadataUrl,
    extra: verified.claims,
  };
}
