import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type Client, isDocumentUrl } from '../clients/index.ts';
import {
  type Asked,
  differencesOf,
  type FlowHead,
  type FlowReport,
  hostOf,
  type StepReport,
} from '../flows/index.ts';
import type { Fields } from '../http/index.ts';
import type { OAuthError } from '../oauth/index.ts';
import { refusalOf } from './explain-errors.ts';
import type { FlowDeps, Told } from './flow-context.ts';
import { askedToAuthorize, expectedOf, knownAs } from './flow-requests.ts';
import { flowParameter } from './prompts.ts';
import { stateOf } from './request-state.ts';

const paths: Record<string, string> = {
  authorization: '/oauth/authorize',
  pushed_authorization_request: '/oauth/par',
  device_authorization: '/oauth/device_authorization',
};

/**
 * What became of a request that begins an authorization. A pushed one that was taken is told of when the
 * browser brings it.
 */
export async function authorizationReport(
  { clients, resources, now }: FlowDeps,
  ctx: KoaContextWithOIDC,
  told: Told,
): Promise<FlowReport | undefined> {
  const refusal = refusalOf(ctx);
  const { flowId = '' } = stateOf(ctx);
  if (!refusal && ctx.oidc.route === 'pushed_authorization_request') return undefined;
  const asked = askedToAuthorize({ ...pushed(ctx), ...stateOf(ctx).form });
  const client = asked.clientId
    ? await clients.find(asked.clientId, { refresh: false })
    : undefined;
  const step = { ...told, request: `${ctx.method} ${paths[ctx.oidc.route]}` };
  const known: StepReport[] = client
    ? [{ ...clientStep(client, now()), at: told.at, traceId: told.traceId }]
    : [];
  const report = { flowId, ...told, ...headOf(ctx, asked, client), begins: true };
  if (!refusal) {
    const ok: StepReport = { ...step, name: 'authorize', state: 'ok', answer: String(ctx.status) };
    const steps = [...known, { ...ok, facts: factsOf(ctx, asked) }, ...consentStep(ctx, told)];
    return { ...report, outcome: 'open', steps };
  }
  const unread = await unreadDocument(clients, asked, client);
  const failed: StepReport = {
    ...step,
    name: refusal.error === 'invalid_client' ? 'client' : 'authorize',
    ...failureOf(refusal),
    differences: differencesOf(refusal.error, asked, expectedOf(client, resources.all())),
    facts: { ...factsOf(ctx, asked), document: unread },
    rules: client?.rules,
  };
  return { ...report, outcome: 'failed', steps: [...known, failed] };
}

/** Why the metadata document of a client could not be read: for operators, the client is not told. */
async function unreadDocument(
  clients: FlowDeps['clients'],
  { clientId }: Asked,
  client: Client | undefined,
): Promise<string | undefined> {
  if (client || clientId === undefined || !isDocumentUrl(clientId)) return undefined;
  return clients.documentFailure(clientId);
}

/** The parameters that the browser only referred to (RFC 9126). */
function pushed({ oidc: { params } }: KoaContextWithOIDC): Fields {
  const texts = Object.entries({ ...params }).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value]] : [],
  );
  return Object.fromEntries(texts);
}

/** What became of a page: a person has signed in, approved or refused. */
export function resumeReport(ctx: KoaContextWithOIDC, told: Told): FlowReport | undefined {
  const { params, entities, result, session } = ctx.oidc;
  const flowId = params?.[flowParameter];
  if (typeof flowId !== 'string') return undefined;
  const refusal = refusalOf(ctx);
  const asked = stateOf(ctx).page ?? pagePrompt(entities.Interaction);
  const name = asked === 'login' ? 'sign_in' : 'consent';
  const step = { ...told, name, request: `POST /${asked}/{uid}` } as const;
  const userId = session?.accountId;
  const report = { flowId, ...told, userId, familyId: familyOf(ctx) };
  if (refusal) {
    return { ...report, outcome: 'failed', steps: [{ ...step, ...failureOf(refusal) }] };
  }
  const answered = asked === 'login' || result?.consent !== undefined;
  const done: StepReport[] = answered ? [{ ...step, state: 'ok', answer: String(ctx.status) }] : [];
  const remembered = asked === 'login' ? consentStep(ctx, told) : [];
  const scope = typeof params?.scope === 'string' ? params.scope : undefined;
  return { ...report, scope, outcome: 'open', steps: [...done, ...remembered] };
}

/** How a refusal looks in its step. */
export function failureOf({ error, description }: OAuthError) {
  return { state: 'failed', error, answer: error, sentence: description } as const;
}

function clientStep(client: Client, now: Date) {
  return { name: 'client', state: 'ok', note: knownAs(client, now), rules: client.rules } as const;
}

/** A code was issued without asking: consent is remembered. */
function consentStep(ctx: KoaContextWithOIDC, told: Told): StepReport[] {
  if (familyOf(ctx) === undefined) return [];
  return [{ ...told, name: 'consent', state: 'ok', note: 'remembered' }];
}

/** The authorization that has come of it, if one has. */
function familyOf({ oidc: { entities } }: KoaContextWithOIDC): string | undefined {
  return entities.AuthorizationCode?.grantId ?? entities.DeviceCode?.grantId;
}

function headOf(ctx: KoaContextWithOIDC, asked: Asked, client: Client | undefined): FlowHead {
  const { params, resourceServers = {}, session } = ctx.oidc;
  const [registered] = Object.keys(resourceServers);
  const scope = params?.scope ?? asked.scope;
  return {
    clientId: asked.clientId,
    clientName: client?.clientName,
    clientKind: client?.kind,
    userId: session?.accountId,
    resource: registered ?? asked.resource,
    redirectHost: hostOf(asked.redirectUri),
    scope: typeof scope === 'string' ? scope : undefined,
    familyId: familyOf(ctx),
  };
}

function factsOf(ctx: KoaContextWithOIDC, asked: Asked): Record<string, string | undefined> {
  const settled = ctx.oidc.params?.scope;
  return {
    response_type: asked.responseType,
    client_id: asked.clientId,
    redirect_uri: asked.redirectUri,
    resource: asked.resource,
    scope: asked.scope,
    'scope taken': typeof settled === 'string' && settled !== asked.scope ? settled : undefined,
    code_challenge_method: asked.challengeMethod,
  };
}

/** The library forgets which page it was where another follows. */
export function rememberPages(provider: Provider): void {
  provider.on('interaction.ended', (ctx: KoaContextWithOIDC) => {
    stateOf(ctx).page = pagePrompt(ctx.oidc.entities.Interaction);
  });
}

function pagePrompt(interaction: unknown): 'login' | 'consent' {
  const stored: unknown = interaction;
  const prompt = isObject(stored) && isObject(stored.prompt) ? stored.prompt.name : undefined;
  return prompt === 'login' ? 'login' : 'consent';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
