import type { Context } from 'koa';
import type { User } from '../accounts/index.ts';
import { OAuthError, parseScope } from '../oauth/index.ts';
import { apiResourceUri, impliedScopes, type Resource } from '../resources/index.ts';
import type { IssuedToken } from '../tokens/index.ts';
import {
  type ApiCaller,
  type Identify,
  type MemberOf,
  type Presented,
  unknownWorkspace,
} from './caller.ts';
import { refuse } from './challenge.ts';
import type { ApiDeps } from './deps.ts';
import { createProofCheck } from './proof.ts';

type Deps = Pick<
  ApiDeps,
  'config' | 'accounts' | 'workspaces' | 'resources' | 'tokens' | 'now' | 'bridge'
>;

/**
 * The gate of the workspace API. A token comes in the Authorization header or not at all (RFC 6750 §2.1);
 * a cookie is never a caller.
 */
export function createGuard(deps: Deps): { identify: Identify; memberOf: MemberOf } {
  const { config, accounts, workspaces, bridge } = deps;
  const uri = apiResourceUri(config.server.issuer);
  const checkProof = createProofCheck(deps);

  return {
    /**
     * Who calls.
     *
     * @param scope without which the route is closed
     * @throws OAuthError 401 with a challenge that names the metadata; 403 naming the scope that is missing
     */
    async identify(ctx, scope = 'apps:read') {
      const challenge = { issuer: config.server.issuer, scope };
      const presented = readToken(ctx);
      if (!presented) throw refuse(challenge);
      const issued = await bridge.findPresented(presented.token);
      const resource = deps.resources.resolve(uri);
      // Attack: a token of another resource, a refresh token or a client assertion (TK04, TK06).
      if (!issued || !resource || !isFor(issued, resource)) {
        throw refuse(challenge, 'invalid_token', unusable);
      }
      await checkProof(ctx, presented, issued, challenge);
      const user = await accounts.find(issued.sub);
      if (user?.status !== 'active') throw refuse(challenge, 'invalid_token', nobody);
      const scopes = new Set(impliedScopes(resource, parseScope(issued.scope)));
      if (!scopes.has(scope)) {
        throw refuse(challenge, 'insufficient_scope', `This needs the scope ${scope}.`);
      }
      bridge.noteUse(issued);
      return callerOf(issued, user, scopes);
    },

    /**
     * A workspace of the caller. Who is no member sees the same as where there is none (AD07).
     *
     * @param scope of the route: what `apps:admin` allows is for admins of the workspace
     * @throws OAuthError 404; 403 access_denied for a member where only an admin may
     */
    async memberOf({ user, workspaceId }, workspaceUuid, scope) {
      const own = workspaceId === undefined || workspaceId === workspaceUuid;
      const found = own
        ? await workspaces.membership({ workspaceId: workspaceUuid, userId: user.id })
        : undefined;
      if (!found) throw unknownWorkspace();
      const { role, ...workspace } = found;
      if (scope === 'apps:admin' && role !== 'admin') {
        throw new OAuthError('access_denied', 'Only admins of this workspace may do this.', {
          status: 403,
        });
      }
      return { workspace, role };
    },
  };
}

const unusable =
  'This access token is not valid for this API: it has expired, was revoked, or is for another resource.';
const nobody = 'This access token stands for no active account. Sign in with a person.';

/** @returns undefined without a token, also where it came by another way than the header */
function readToken(ctx: Context): Presented | undefined {
  const [scheme = '', token = '', ...more] = ctx.get('authorization').split(' ');
  if (token === '' || more.length > 0) return undefined;
  if (/^bearer$/i.test(scheme)) return { token, scheme: 'Bearer' };
  return /^dpop$/i.test(scheme) ? { token, scheme: 'DPoP' } : undefined;
}

/** A workspace credential is for the server of its workspace, never for this API. */
function isFor({ kind, resource: audience }: IssuedToken, { uri }: Resource): boolean {
  return (kind === 'access_token' || kind === 'personal_access_token') && audience === uri;
}

function callerOf(issued: IssuedToken, user: User, scopes: ReadonlySet<string>): ApiCaller {
  const { jti, client_id: clientId, workspace_id: workspaceId } = issued;
  return {
    ...{ user, jti, scopes },
    ...(clientId && { clientId }),
    ...(workspaceId && { workspaceId }),
  };
}
