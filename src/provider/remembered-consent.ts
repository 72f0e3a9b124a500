import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type Provider from 'oidc-provider';
import type { Grant, KoaContextWithOIDC } from 'oidc-provider';
import type { User } from '../accounts/index.ts';
import { recordAudit } from '../audit/index.ts';
import type { Client } from '../clients/index.ts';
import { findGrant, type GrantRow, needsConsent, touchGrant } from '../consent/index.ts';
import type { Tables } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { chooseScopes, type Resource } from '../resources/index.ts';
import type { ProviderDeps } from './deps.ts';
import { otherPerson } from './interaction.ts';
import { knownClient } from './known-client.ts';
import { crossSiteParameter } from './prompts.ts';

/**
 * The authorization that this request may go on with: the one just approved on the consent page, or
 * a fresh family under a grant that is remembered. Undefined asks the person.
 *
 * @throws OAuthError access_denied (403) when somebody else is signed in than who answered the page
 */
export async function loadAuthorizedGrant(
  deps: ProviderDeps,
  ctx: KoaContextWithOIDC,
): Promise<Grant | undefined> {
  const { provider, result, account } = ctx.oidc;
  // Attack: what one person approved, or signed in for, carried into the browser of another (SE03).
  if (result?.person !== undefined && result.person !== account?.accountId) throw otherPerson();
  const approved = result?.consent?.grantId;
  if (approved) return provider.Grant.find(approved);
  // Attack: somebody is sent a link to a device of a stranger's. No earlier answer is an answer to that.
  if (ctx.oidc.route === 'device_resume') return undefined;
  const request = await requestOf(deps, ctx);
  if (!request) return undefined;
  const remembered = await findGrant(deps.db.kysely, { ...request, workspaceId: '' });
  const { ask } = needsConsent({
    ...request,
    remembered,
    crossSite: ctx.oidc.params?.[crossSiteParameter] === '1',
    promptConsent: ctx.oidc.promptPending('consent'),
  });
  const granted = request.scopes.filter((scope) => remembered?.scopes.includes(scope));
  if (ask || !remembered || granted.length === 0) return undefined;
  return continueGrant(deps, provider, remembered, request.scopes, granted);
}

/** What is asked for, cut to what this person may grant today; undefined where that is nothing. */
async function requestOf(deps: ProviderDeps, ctx: KoaContextWithOIDC) {
  const { params, account, client: found } = ctx.oidc;
  const client = found && (await knownClient(deps.clients, found.clientId));
  const user = account && (await deps.accounts.find(account.accountId));
  const resource = deps.resources.resolve(String(params?.resource));
  if (!params || !user || !client || !resource) return undefined;
  const scopes = grantableScopes(deps, {
    requested: String(params.scope ?? ''),
    resource,
    client,
    user,
  });
  return {
    client,
    clientId: client.clientId,
    userId: user.id,
    resource: resource.uri,
    redirectUri: String(params.redirect_uri),
    scopes,
  };
}

function grantableScopes(
  { config }: ProviderDeps,
  request: { requested: string; resource: Resource; client: Client; user: User },
): string[] {
  try {
    return chooseScopes({ ...request, requireScope: config.oauth.require_scope }).scopes;
  } catch (error) {
    if (error instanceof OAuthError) return []; // the consent page says so to the client
    throw error;
  }
}

async function continueGrant(
  deps: ProviderDeps,
  provider: Provider,
  row: GrantRow,
  requested: string[],
  granted: string[],
): Promise<Grant | undefined> {
  return deps.db.kysely.transaction().execute(async (trx) => {
    if (!(await touchGrant(trx, { grantId: row.id, now: deps.now() }))) return undefined;
    const family = await startFamily(deps, provider, trx, { row, requested, granted });
    await recordAudit(
      trx,
      {
        type: 'consent_granted',
        actor: { kind: 'user', id: row.userId },
        userId: row.userId,
        clientId: row.clientId,
        resource: row.resource,
        detail: {
          scopes: granted,
          redirect_host: row.redirectHost,
          grant_id: row.id,
          remembered: true,
        },
      },
      deps.auditMeta(),
    );
    return family;
  });
}

/**
 * Starts a token family under a grant row: one library Grant per authorization, so that its reuse or
 * revocation ends this installation only (all installations of a client share its client_id).
 */
export async function startFamily(
  { tokens, config, now }: Pick<ProviderDeps, 'tokens' | 'config' | 'now'>,
  provider: Provider,
  trx: Kysely<Tables>,
  { row, requested, granted }: { row: GrantRow; requested: string[]; granted: string[] },
): Promise<Grant> {
  const grant = new provider.Grant({ accountId: row.userId, clientId: row.clientId });
  grant.jti = `fam_${randomBytes(18).toString('base64url')}`;
  grant.iat = Math.floor(now().getTime() / 1000);
  grant.exp = grant.iat + config.tokens.refresh_absolute_ttl;
  grant.addResourceScope(row.resource, granted.join(' '));
  const rejected = requested.filter((scope) => !granted.includes(scope));
  // Every requested scope ends up granted or rejected, or consent would be asked again.
  if (rejected.length > 0) grant.rejectResourceScope(row.resource, rejected.join(' '));
  await tokens.families.start(
    trx,
    {
      id: grant.jti,
      grantId: row.id,
      clientId: row.clientId,
      userId: row.userId,
      payload: { ...grant },
      expiresAt: new Date(grant.exp * 1000),
    },
    now(),
  );
  return grant;
}
