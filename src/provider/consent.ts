import type { Context } from 'koa';
import type { Kysely } from 'kysely';
import { lockMembership } from '../accounts/index.ts';
import { type AuditEvent, recordAudit } from '../audit/index.ts';
import type { Client } from '../clients/index.ts';
import { approveGrant, consentPage } from '../consent/index.ts';
import type { Tables } from '../db/index.ts';
import { type Fields, readForm, sendPage, single } from '../http/index.ts';
import { grantTypes, isOnThisComputer, OAuthError, redirectHost } from '../oauth/index.ts';
import { impliedScopes, type Resource } from '../resources/index.ts';
import {
  type AnswerProblem,
  answerOf,
  type ConsentAnswer,
  type ConsentKept,
  type ConsentRequest,
  consentRequestOf,
  workspaceChoices,
} from './consent-request.ts';
import type { ProviderDeps } from './deps.ts';
import { finishInteraction, type Interaction, loadInteraction } from './interaction.ts';
import { flowParameter } from './prompts.ts';
import { provenanceOf } from './provenance.ts';
import type { LiveProvider } from './provider.ts';
import { startFamily } from './remembered-consent.ts';

const longestForm = 32 * 1024;

/** `/consent/{uid}`: asks a person whether a client may act for them. */
export function consent(deps: ProviderDeps, live: LiveProvider) {
  const begin = async (ctx: Context) => {
    const interaction = await loadInteraction(live.current, ctx);
    const request = await consentRequestOf(deps, interaction);
    return { interaction, request };
  };
  return {
    async show(ctx: Context): Promise<void> {
      // Attack: a link that looks like an answer. Only a posted form is one, and no link has a query.
      if (ctx.querystring !== '') ctx.throw(404);
      const { interaction, request } = await begin(ctx);
      if (request instanceof OAuthError) await refuse(ctx, interaction, request);
      else send(deps, ctx, interaction, request);
    },

    async decide(ctx: Context): Promise<void> {
      const form = await readForm(ctx, longestForm);
      deps.csrf.check(ctx, key(ctx.params), single(form, 'csrf'));
      const { interaction, request } = await begin(ctx);
      if (request instanceof OAuthError) return refuse(ctx, interaction, request);
      switch (single(form, 'decision')) {
        case 'deny':
          return deny(deps, ctx, interaction, request);
        case 'approve':
          return approve(deps, ctx, interaction, request, form);
        default:
          throw new OAuthError(
            'invalid_request',
            'The form has no decision. Press Approve or Deny.',
          );
      }
    },
  };
}

async function approve(
  deps: ProviderDeps,
  ctx: Context,
  interaction: Interaction,
  request: ConsentRequest,
  form: Fields,
): Promise<void> {
  const answer = answerOf(request, form);
  if ('problem' in answer) return send(deps, ctx, interaction, request, answer);
  const familyId = await deps.db.kysely
    .transaction()
    .execute((trx) => grant(deps, trx, interaction, { ...request, ...answer }));
  if (familyId === undefined) return askAgain(deps, ctx, interaction);
  await finishInteraction(ctx, interaction, {
    person: request.user.id,
    consent: { grantId: familyId },
  });
}

/** @returns the family of the authorization; undefined when the person has left the workspace meanwhile */
async function grant(
  deps: ProviderDeps,
  trx: Kysely<Tables>,
  interaction: Interaction,
  request: ConsentRequest & ConsentAnswer,
): Promise<string | undefined> {
  const { user, client, resource, scopes, offered, workspace } = request;
  const { redirectUri } = interaction.params;
  const member = workspace && { workspaceId: workspace.id, userId: user.id };
  if (member && (await lockMembership(trx, member)) !== workspace.role) return undefined;
  const row = await approveGrant(trx, {
    userId: user.id,
    client,
    resource: resource.uri,
    workspaceId: workspace?.id ?? '',
    scopes,
    offeredScopes: offered,
    redirectUri,
    now: deps.now(),
  });
  const family = await startFamily(deps, interaction.provider, trx, {
    row,
    requested: request.offered,
    granted: scopes,
    flow: interaction.stored.params[flowParameter],
  });
  const detail = {
    scopes,
    offered_scopes: offered,
    redirect_host: redirectHost(redirectUri),
    grant_id: row.id,
    family_id: family.jti,
    workspace_id: workspace?.id,
    reasons: [...interaction.stored.prompt.reasons],
  };
  await recordAudit(trx, { ...who(request), type: 'consent_granted', detail }, deps.auditMeta());
  return family.jti;
}

/** With what the person may grant now. */
async function askAgain(deps: ProviderDeps, ctx: Context, interaction: Interaction): Promise<void> {
  const request = await consentRequestOf(deps, interaction);
  if (request instanceof OAuthError) return refuse(ctx, interaction, request);
  send(deps, ctx, interaction, request, { problem: 'no-workspace' });
}

async function deny(
  deps: ProviderDeps,
  ctx: Context,
  interaction: Interaction,
  request: ConsentRequest,
): Promise<void> {
  const detail = {
    scopes: request.offered,
    redirect_host: redirectHost(interaction.params.redirectUri),
  };
  await recordAudit(
    deps.db.kysely,
    { ...who(request), type: 'consent_denied', detail },
    deps.auditMeta(),
  );
  await finishInteraction(ctx, interaction, {
    error: 'access_denied',
    error_description: 'The person denied the request.',
  });
}

function refuse(ctx: Context, interaction: Interaction, error: OAuthError): Promise<void> {
  return finishInteraction(ctx, interaction, {
    error: error.error,
    error_description: error.description,
  });
}

function who({
  user,
  client,
  resource,
}: ConsentRequest): Pick<AuditEvent, 'actor' | 'userId' | 'clientId' | 'resource'> {
  return {
    actor: { kind: 'user', id: user.id },
    userId: user.id,
    clientId: client.clientId,
    resource: resource.uri,
  };
}

function send(
  { base, config, csrf }: ProviderDeps,
  ctx: Context,
  interaction: Interaction,
  request: ConsentRequest,
  { problem, kept }: { problem?: AnswerProblem; kept?: ConsentKept } = {},
): void {
  const { user, client, resource, offered } = request;
  const { params, uid } = interaction;
  const refreshes = client.metadata.grant_types.includes('refresh_token');
  const { tokens } = config;
  const page = consentPage({
    action: `${base}/consent/${uid}`,
    csrf: csrf.issue(ctx, key(interaction)),
    client: { name: client.clientName ?? client.clientId, known: provenanceOf(client) },
    redirect: {
      host: redirectHost(params.redirectUri),
      onThisComputer: isOnThisComputer(params.redirectUri),
    },
    device: interaction.device,
    resource: { name: resource.displayName, uri: resource.uri },
    scopes: resource.scopes
      .filter((scope) => offered.includes(scope.name))
      .map((scope) => ({
        ...scope,
        includes: includedBy(scope.name, { resource, offered }),
        checked: kept?.scopes.includes(scope.name) ?? true,
      })),
    workspaces: workspaceChoices(request, kept),
    account: { email: user.email, switchUrl: `${base}/login/${uid}?switch` },
    lasts: {
      access: resource.accessTtl ?? tokens.access_ttl,
      refresh: refreshes
        ? { idle: tokens.refresh_ttl, absolute: tokens.refresh_absolute_ttl }
        : undefined,
      untilEnded: mayExchange(client, resource),
    },
    accountUrl: `${base}/account`,
    problem,
  });
  sendPage(ctx, page, {
    status: problem ? 400 : 200,
    formAction: 'anywhere',
  });
}

/** Whether the client may exchange other tokens for this resource on the strength of this consent. */
function mayExchange({ clientId, metadata }: Client, { exchange }: Resource): boolean {
  const listed = exchange?.consent === 'required' && exchange.clients.includes(clientId);
  return listed && metadata.grant_types.includes(grantTypes.tokenExchange);
}

function key({ uid }: { uid?: string }): string {
  return `consent:${uid}`;
}

/** In words: what a scope implies and has no box of its own, so that nothing is allowed unseen (T31). */
function includedBy(
  name: string,
  { resource, offered }: { resource: Resource; offered: readonly string[] },
): string[] {
  const unseen = impliedScopes(resource, [name]).filter((one) => !offered.includes(one));
  return resource.scopes
    .filter((scope) => unseen.includes(scope.name))
    .map((scope) => scope.description || scope.name);
}
