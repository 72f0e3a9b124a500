import type { Context } from 'koa';
import type { User } from '../accounts/index.ts';
import { type AuditEvent, recordAudit } from '../audit/index.ts';
import type { Client } from '../clients/index.ts';
import { approveGrant, consentPage } from '../consent/index.ts';
import { type Fields, multiple, readForm, sendPage, single } from '../http/index.ts';
import { grantTypes, isOnThisComputer, OAuthError, redirectHost } from '../oauth/index.ts';
import { chooseScopes, type Resource } from '../resources/index.ts';
import type { ProviderDeps } from './deps.ts';
import {
  finishInteraction,
  type Interaction,
  loadInteraction,
  otherPerson,
} from './interaction.ts';
import { provenanceOf } from './provenance.ts';
import type { LiveProvider } from './provider.ts';
import { startFamily } from './remembered-consent.ts';

const longestForm = 32 * 1024;

/** Who asks whom for what. */
interface ConsentRequest {
  user: User;
  client: Client;
  resource: Resource;
  /** What this person may grant of what was asked. */
  offered: string[];
}

/** `/consent/{uid}`: asks a person whether a client may act for them. */
export function consent(deps: ProviderDeps, live: LiveProvider) {
  const begin = async (ctx: Context) => {
    const interaction = await loadInteraction(live.current, ctx);
    const request = await requestOf(deps, interaction);
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

/**
 * @returns the request, or the error that the client gets when this person may grant nothing of it
 * @throws OAuthError when it is not the person's own interaction, or its client is gone
 */
async function requestOf(
  { accounts, clients, resources, config }: ProviderDeps,
  { stored, session, params }: Interaction,
): Promise<ConsentRequest | OAuthError> {
  // Attack: somebody else's interaction, finished under my own session.
  if (!session || stored.session?.accountId !== session.userId) throw otherPerson();
  const [user, client] = await Promise.all([
    accounts.find(session.userId),
    clients.find(params.clientId, { refresh: false }),
  ]);
  const resource = resources.resolve(params.resource);
  if (!user || !client || !resource) {
    throw new OAuthError(
      'invalid_request',
      'The app or the server it asked for is gone. Start again from the app.',
    );
  }
  try {
    const { scopes } = chooseScopes({
      requested: params.scope,
      resource,
      client,
      user,
      requireScope: config.oauth.require_scope,
    });
    return { user, client, resource, offered: scopes };
  } catch (error) {
    if (error instanceof OAuthError)
      return new OAuthError('access_denied', error.description, { cause: error });
    throw error;
  }
}

async function approve(
  deps: ProviderDeps,
  ctx: Context,
  interaction: Interaction,
  request: ConsentRequest,
  form: Fields,
): Promise<void> {
  const ticked = multiple(form, 'scope').filter((scope) => request.offered.includes(scope));
  if (ticked.length === 0) return send(deps, ctx, interaction, request, 'no-scope');
  const scopes = [...new Set(ticked)];
  const familyId = await deps.db.kysely.transaction().execute(async (trx) => {
    const row = await approveGrant(trx, {
      userId: request.user.id,
      client: request.client,
      resource: request.resource.uri,
      workspaceId: '',
      scopes,
      offeredScopes: request.offered,
      redirectUri: interaction.params.redirectUri,
      now: deps.now(),
    });
    const family = await startFamily(deps, interaction.provider, trx, {
      row,
      requested: request.offered,
      granted: scopes,
    });
    await recordAudit(
      trx,
      {
        ...who(request),
        type: 'consent_granted',
        detail: {
          scopes,
          offered_scopes: request.offered,
          redirect_host: redirectHost(interaction.params.redirectUri),
          grant_id: row.id,
          family_id: family.jti,
          reasons: [...interaction.stored.prompt.reasons],
        },
      },
      deps.auditMeta(),
    );
    return family.jti;
  });
  await finishInteraction(ctx, interaction, {
    person: request.user.id,
    consent: { grantId: familyId },
  });
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
  { user, client, resource, offered }: ConsentRequest,
  problem?: 'no-scope',
): void {
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
    scopes: resource.scopes.filter((scope) => offered.includes(scope.name)),
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
