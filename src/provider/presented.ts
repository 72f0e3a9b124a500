import { type JWTPayload, jwtVerify } from 'jose';
import { hashId } from '../db/index.ts';
import { formatScope, parseScope } from '../oauth/index.ts';
import {
  credentialScopes,
  type IssuedToken,
  readOpaqueToken,
  readWorkspaceCredential,
  standingScopes,
} from '../tokens/index.ts';
import type { ProviderDeps } from './deps.ts';

/** Longest token that is looked at, in characters; ours are far shorter. */
export const longestToken = 8192;

type Deps = Pick<ProviderDeps, 'keys' | 'config' | 'now' | 'tokens' | 'resources'>;

/** Whether it is shaped like an access token of ours: a JWT, a workspace credential, or opaque with a right checksum. */
export function looksLikeAccessToken(token: string): boolean {
  return token.includes('.') || readOpaqueToken(token) !== undefined;
}

/**
 * The record of a presented access token (JWT, opaque, personal or workspace credential), by one indexed read: its signature or
 * its hash is ours, it has not expired, and it and all that it hangs on are alive. Does NOT ask whom it
 * is for, nor for a DPoP proof.
 *
 * @returns undefined for everything else, whatever is wrong with it (RFC 7662 §2.2)
 */
export function findPresented(deps: Deps, token: string): Promise<IssuedToken | undefined> {
  return findPresentedBy(deps, token, deps.tokens.exchange.issued);
}

/** The same, with what else a caller reads of the record in that one read. */
export async function findPresentedBy<Issued extends IssuedToken>(
  deps: Deps,
  token: string,
  read: (jti: string) => Promise<Issued | undefined>,
): Promise<Issued | undefined> {
  const jti = await identifierOf(deps, token);
  const issued = jti === undefined ? undefined : await read(jti);
  if (!issued || !isAccessToken(issued)) return undefined;
  if (!issued.alive || issued.expires_at <= deps.now()) return undefined;
  return issued.kind === 'access_token' ? issued : asItStands(deps, issued);
}

/**
 * A personal access token and a workspace credential outlive many decisions of the operator: the scope of the one is
 * cut to what its owner may use now, that of the other is all that its member may use now. With nothing left they are
 * good for nothing.
 */
function asItStands<Issued extends IssuedToken>(
  { resources }: Deps,
  issued: Issued,
): Issued | undefined {
  const { resource: uri, sub: id, username, groups, workspace_role, kind } = issued;
  const resource = resources.resolve(uri);
  if (!resource) return undefined;
  const workspaceRoles = workspace_role ? [workspace_role] : [];
  const owner = { id, email: username ?? undefined, groups: groups ?? [], workspaceRoles };
  const scopes =
    kind === 'workspace_credential'
      ? credentialScopes(resource, owner)
      : standingScopes(parseScope(issued.scope), resource, owner);
  const scope = formatScope(scopes);
  return scope === '' ? undefined : { ...issued, scope };
}

/** A refresh token has a record too, but is nobody's access token. */
function isAccessToken({ kind }: IssuedToken): boolean {
  return kind !== 'refresh_token';
}

async function identifierOf(deps: Deps, token: string): Promise<string | undefined> {
  if (token.length > longestToken) return undefined;
  if (readOpaqueToken(token) || readWorkspaceCredential(token)) return hashId(token);
  return isExact(token) ? (await verify(deps, token))?.jti : undefined;
}

/** Base64url without anything that a decoder would forgive: one token has one spelling. */
function isExact(token: string): boolean {
  return token
    .split('.')
    .every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

async function verify({ keys, config, now }: Deps, token: string): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys.verificationKey, {
      issuer: config.server.issuer,
      typ: 'at+jwt',
      currentDate: now(),
    });
    return payload;
  } catch {
    return undefined;
  }
}
