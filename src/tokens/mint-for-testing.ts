import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { Kysely } from 'kysely';
import { lockMembership, type Membership, type User } from '../accounts/index.ts';
import { recordAudit } from '../audit/index.ts';
import type { Client } from '../clients/index.ts';
import { type Database, hashId, type Tables } from '../db/index.ts';
import type { Keys } from '../keys/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { chooseScopes, type Resource } from '../resources/index.ts';
import { customClaims, requireFitting } from './claims.ts';
import { newOpaqueToken } from './opaque.ts';
import type { By } from './personal-access-tokens.ts';
import {
  insertIssuance,
  lockClient,
  lockPerson,
  lockResource,
} from './personal-access-tokens-queries.ts';

/** What a test token shall be. */
export interface TestTokenRequest {
  /** A client, a person, or a client on behalf of a person. */
  subject: { client: Client; user?: User | undefined } | { client?: undefined; user: User };
  resource: Resource;
  /** Of the person, where the resource is workspace-scoped. */
  workspace?: Membership | undefined;
  scopes: readonly string[];
  /** Seconds; absent means what access tokens of the resource live. */
  expiresIn?: number | undefined;
}

export interface TestToken {
  value: string;
  jti: string;
  scopes: string[];
  expiresAt: Date;
}

interface MintDeps {
  db: Database;
  keys: Pick<Keys, 'providerJwks'>;
}

/** `client_id` of a token that no client asked for (RFC 9068 §2.2 demands one). */
const nobodysClient = 'authserver-cli';
/** `grant_type` in its record: no client can ask for it. */
const grantType = 'token_mint';

/**
 * Makes an access token without a client that asks and a person who consents, for an operator who tries a
 * resource server. It lives no longer than others, has a record like others and ends like others. Does NOT
 * ask the resource's claims hook.
 *
 * @param settings.accessTtl seconds that access tokens live where the resource does not say
 * @throws OAuthError with what cannot be
 */
export async function mintForTesting(
  { db, keys }: MintDeps,
  { issuer, accessTtl }: { issuer: string; accessTtl: number },
  request: TestTokenRequest,
  by: By,
): Promise<TestToken> {
  const { resource, subject } = request;
  refuseUnusable(request);
  const scopes = exactScopes(request);
  const life = lifeOf(request, resource.accessTtl ?? accessTtl);
  const claims = claimsOf(request);
  const issuedAt = by.meta.at;
  const expiresAt = new Date(issuedAt.getTime() + life * 1000);
  const named = { scope: scopes.join(' '), sub: subjectOf(subject), claims, issuedAt, expiresAt };
  const token =
    resource.tokenFormat === 'opaque'
      ? opaque(resource)
      : await signed(keys, { ...named, issuer, audience: resource.uri, client: subject.client });
  await db.kysely
    .transaction()
    .execute((trx) => record(trx, { ...named, ...request, jti: token.jti }, by));
  return { ...token, scopes, expiresAt };
}

function refuseUnusable({ resource, workspace }: TestTokenRequest): void {
  const { uri, dpop, workspaceScoped } = resource;
  if (dpop === 'required') {
    throw new OAuthError(
      'invalid_target',
      `${uri} takes only tokens that are bound to a key (DPoP). Get one with a client that supports it.`,
    );
  }
  if (workspaceScoped !== (workspace !== undefined)) {
    throw new OAuthError(
      'invalid_target',
      workspaceScoped
        ? `${uri} is scoped to workspaces. Say for which one, of a person who is a member.`
        : `${uri} knows no workspaces. Leave the workspace out.`,
    );
  }
}

/** Exactly what was asked for: whoever tests must not get less without noticing. */
function exactScopes(request: TestTokenRequest): string[] {
  const { subject, resource, workspace, scopes: requested } = request;
  const { client, user } = subject;
  const workspaceRoles = workspace && [workspace.role];
  const ceilings = { client, user: user && { ...user, workspaceRoles } };
  const { scopes, dropped } = chooseScopes({
    requested,
    resource,
    ...ceilings,
    requireScope: true,
  });
  if (dropped.length === 0) return scopes;
  throw new OAuthError(
    'invalid_scope',
    `${dropped.join(' ')} is not a scope of ${resource.uri}, or not allowed here. Possible with the others: ${scopes.join(' ')}`,
  );
}

/** Longer ones would outlive the key that signs them. */
function lifeOf({ expiresIn }: TestTokenRequest, longest: number): number {
  const life = expiresIn ?? longest;
  if (Number.isSafeInteger(life) && life > 0 && life <= longest) return life;
  throw new OAuthError(
    'invalid_request',
    `A test token lives at most as long as others of this resource: ${longest} seconds.`,
  );
}

function claimsOf(request: TestTokenRequest): Record<string, unknown> {
  const { subject, resource, workspace } = request;
  const client = subject.client ?? { clientId: nobodysClient, kind: 'preregistered' };
  const claims = customClaims({ mapping: resource.claims, user: subject.user, client, workspace });
  requireFitting(claims);
  return { ...claims, ...(workspace && { workspace_id: workspace.id }) };
}

function subjectOf({ client, user }: TestTokenRequest['subject']): string {
  return user?.id ?? client?.clientId ?? '';
}

function opaque({ tokenPrefix }: Resource): { value: string; jti: string } {
  const value = newOpaqueToken(tokenPrefix, 'oat');
  return { value, jti: hashId(value) };
}

interface Signable {
  issuer: string;
  audience: string;
  client: Client | undefined;
  sub: string;
  scope: string;
  claims: Record<string, unknown>;
  issuedAt: Date;
  expiresAt: Date;
}

/** RFC 9068 §2. */
async function signed(keys: MintDeps['keys'], token: Signable) {
  const [jwk] = keys.providerJwks().keys;
  if (!jwk) throw new TypeError('there is no signing key');
  const jti = randomUUID();
  const { claims, scope, client } = token;
  const client_id = client?.clientId ?? nobodysClient;
  const value = await new SignJWT({ ...claims, scope, client_id })
    .setProtectedHeader({ typ: 'at+jwt', alg: jwk.alg, kid: jwk.kid })
    .setIssuer(token.issuer)
    .setSubject(token.sub)
    .setAudience(token.audience)
    .setIssuedAt(token.issuedAt)
    .setExpirationTime(token.expiresAt)
    .setJti(jti)
    .sign(await importJWK(jwk, jwk.alg));
  return { value, jti };
}

type Minted = TestTokenRequest &
  Pick<Signable, 'sub' | 'scope' | 'claims' | 'issuedAt' | 'expiresAt'> & { jti: string };

async function record(trx: Kysely<Tables>, minted: Minted, by: By): Promise<void> {
  const { jti, sub, scope, claims, issuedAt, expiresAt, resource } = minted;
  const { client, user } = minted.subject;
  await requireStanding(trx, minted);
  await insertIssuance(trx, {
    ...{ jti, sub, scope, resource: resource.uri, root_jti: jti },
    workspace_id: minted.workspace?.id ?? null,
    ...{ kind: 'access_token', grant_type: grantType, token_type: 'Bearer' },
    client_id: client?.clientId ?? null,
    claims: JSON.stringify(claims),
    issued_at: issuedAt,
    expires_at: expiresAt,
  });
  const about = { clientId: client?.clientId, userId: user?.id, resource: resource.uri };
  const detail = {
    ...{ grant_type: grantType, token_type: 'Bearer', format: resource.tokenFormat },
    ...{ jti, scope, expires_at: expiresAt },
    workspace_id: minted.workspace?.id,
  };
  await recordAudit(trx, { type: 'token_issued', actor: by.actor, ...about, detail }, by.meta);
}

/** Whom it is for may have been disabled since it was read. */
async function requireStanding(trx: Kysely<Tables>, minted: Minted): Promise<void> {
  const { subject, resource, workspace } = minted;
  const { client, user } = subject;
  if (user && (await lockPerson(trx, user.id))?.status !== 'active') {
    throw new OAuthError('access_denied', `The account ${user.email} is disabled.`);
  }
  const member = workspace && { workspaceId: workspace.id, userId: user?.id ?? '' };
  if (member && !(await lockMembership(trx, member))) {
    throw new OAuthError('access_denied', `The person is no member of ${workspace.slug}.`);
  }
  if (client && !(await lockClient(trx, client.clientId))) {
    throw new OAuthError('unauthorized_client', `The client ${client.clientId} is suspended.`);
  }
  if (!(await lockResource(trx, resource.uri))) {
    throw new OAuthError('invalid_target', `The resource ${resource.uri} is disabled.`);
  }
}
