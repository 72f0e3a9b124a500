import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type Provider from 'oidc-provider';
import type { Grant, KoaContextWithOIDC } from 'oidc-provider';
import type { Membership } from '../accounts/index.ts';
import { recordAudit } from '../audit/index.ts';
import {
  findGrant,
  findWorkspaceGrants,
  type GrantRow,
  needsConsent,
  touchGrant,
} from '../consent/index.ts';
import type { Tables } from '../db/index.ts';
import { grantableOrNothing } from './consent-request.ts';
import type { ProviderDeps } from './deps.ts';
import { otherPerson } from './interaction.ts';
import { knownClient } from './known-client.ts';
import { crossSiteParameter, flowParameter } from './prompts.ts';

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
  const { remembered } = request;
  const { ask } = needsConsent({
    ...request,
    crossSite: ctx.oidc.params?.[crossSiteParameter] === '1',
    promptConsent: ctx.oidc.promptPending('consent'),
  });
  const granted = request.scopes.filter((scope) => remembered?.scopes.includes(scope));
  if (ask || !remembered || granted.length === 0) return undefined;
  const flow = ctx.oidc.params?.[flowParameter];
  return continueGrant(deps, provider, remembered, { requested: request.scopes, granted, flow });
}

/** What is asked for, cut to what this person may grant today, and the answer that is remembered. */
async function requestOf(deps: ProviderDeps, ctx: KoaContextWithOIDC) {
  const { params, account, client: found } = ctx.oidc;
  const client = found && (await knownClient(deps.clients, found.clientId));
  const user = account && (await deps.accounts.find(account.accountId));
  const resource = deps.resources.resolve(String(params?.resource));
  if (!params || !user || !client || !resource) return undefined;
  const asked = { requested: String(params.scope ?? ''), resource, client, user };
  const key = { userId: user.id, clientId: client.clientId, resource: resource.uri };
  const answered = resource.workspaceScoped
    ? await onlyWorkspaceGrant(deps, key)
    : { remembered: await findGrant(deps.db.kysely, { ...key, workspaceId: '' }) };
  return {
    client,
    remembered: answered.remembered,
    redirectUri: String(params.redirect_uri),
    scopes: grantableOrNothing(deps, asked, answered.membership),
  };
}

/** Where several workspaces were granted, only the person can say which one is meant now. */
async function onlyWorkspaceGrant(
  { db, workspaces }: ProviderDeps,
  key: { userId: string; clientId: string; resource: string },
): Promise<{ remembered?: GrantRow; membership?: Membership }> {
  const [remembered, another] = await findWorkspaceGrants(db.kysely, key);
  if (!remembered || another) return {};
  const { userId, workspaceId } = remembered;
  const membership = await workspaces.membership({ userId, workspaceId });
  return membership ? { remembered, membership } : {};
}

async function continueGrant(
  deps: ProviderDeps,
  provider: Provider,
  row: GrantRow,
  settled: { requested: string[]; granted: string[]; flow: unknown },
): Promise<Grant | undefined> {
  return deps.db.kysely.transaction().execute(async (trx) => {
    if (!(await touchGrant(trx, { grantId: row.id, now: deps.now() }))) return undefined;
    const family = await startFamily(deps, provider, trx, { row, ...settled });
    await recordAudit(
      trx,
      {
        type: 'consent_granted',
        actor: { kind: 'user', id: row.userId },
        userId: row.userId,
        clientId: row.clientId,
        resource: row.resource,
        detail: {
          scopes: settled.granted,
          redirect_host: row.redirectHost,
          grant_id: row.id,
          workspace_id: row.workspaceId || undefined,
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
  {
    row,
    requested,
    granted,
    flow,
  }: { row: GrantRow; requested: string[]; granted: string[]; flow: unknown },
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
      payload: { ...grant, flow }, // the attempt that operators see; the library passes over it
      expiresAt: new Date(grant.exp * 1000),
    },
    now(),
  );
  return grant;
}
