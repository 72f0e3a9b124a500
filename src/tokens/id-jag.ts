import type { Accounts, ChangeMeta, Membership, User, Workspaces } from '../accounts/index.ts';
import { type AuditEvent, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Client } from '../clients/index.ts';
import { type Database, hashId, statement } from '../db/index.ts';
import type { GuardedFetch } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Resource, Resources, ScopeUser } from '../resources/index.ts';
import { createAssertionKeys } from './assertion-keys.ts';
import { type IdJag, judgeClaims, readIdJag } from './id-jag-policy.ts';
import { type IdJagReason, IdJagRefusal, shown } from './id-jag-refusals.ts';
import { chooseAssertedResource, chooseAssertedScopes } from './id-jag-target-policy.ts';
import type { TrustedIssuer } from './trusted-issuer-row.ts';
import type { TrustedIssuers } from './trusted-issuers.ts';

export interface IdentityAssertionsDeps {
  db: Database;
  issuers: Pick<TrustedIssuers, 'find'>;
  accounts: Pick<Accounts, 'identities'>;
  workspaces: Pick<Workspaces, 'membershipsOf'>;
  resources: Pick<Resources, 'resolve'>;
  fetch: GuardedFetch;
  now: () => Date;
}

export interface AssertionRequest {
  assertion: string | undefined;
  /** The client that has authenticated. */
  client: Client;
  /** `resource` parameters. */
  resources: readonly string[];
  /** `scope` parameter. */
  scope: string | undefined;
  /** Thumbprint of the DPoP key that the request proves. */
  jkt: string | undefined;
  /**
   * Refuses what the request itself lacks for the resource, such as a DPoP proof, by throwing; called before
   * anybody's account is looked for or made.
   */
  beforePerson: (resource: Resource) => void;
  meta: AuditMeta;
}

/** What an assertion buys: for whom, where, what; `claim` is its single use. */
export interface AcceptedAssertion {
  issuer: string;
  jtiHash: string;
  user: User;
  resource: Resource;
  /** Where the resource is scoped to workspaces: the only one of the person. */
  workspace?: Membership | undefined;
  scopes: string[];
  claim: { id: string; expiresAt: Date; kind: 'authorization' };
}

export type IdentityAssertions = ReturnType<typeof createIdentityAssertions>;

/** Seconds by which our clocks may be set back: a swept claim must not make room for its assertion. */
const clockError = 3600;

const isClaimed = statement('is_claimed', 'SELECT 1 AS claimed FROM replay_claims WHERE id = $1');

/** What is known of an assertion while it is being judged, for the audit event of its refusal. */
interface Progress {
  issuer?: string;
  jti?: unknown;
  subject?: unknown;
  verified: boolean;
}

/** Identity assertions (ID-JAG draft §4.4, MCP enterprise-managed authorization) as grants. */
export function createIdentityAssertions(
  deps: IdentityAssertionsDeps,
  config: { server: { issuer: string }; oauth: { require_scope: boolean } },
) {
  const verifySignature = createAssertionKeys(deps);

  /**
   * Judges an assertion in the order of the specification. A refused one is not used up; a person is only
   * made once everything else is settled.
   *
   * @throws IdJagRefusal; OAuthError invalid_scope; what `beforePerson` throws. The first two are in the audit
   *   log with their reason, unless anybody at all could have caused them
   */
  async function accept(request: AssertionRequest): Promise<AcceptedAssertion> {
    const progress: Progress = { verified: false };
    try {
      const { idJag, issuer } = await authenticate(request, progress);
      return await authorize(request, idJag, issuer);
    } catch (error) {
      const event = refusalEvent(error, request, progress);
      if (event) await recordAudit(deps.db.kysely, event, request.meta);
      throw error;
    }
  }

  async function authenticate({ assertion, client, jkt }: AssertionRequest, progress: Progress) {
    if (client.kind === 'dcr') throw new IdJagRefusal('client_kind', client.kind);
    const unverified = readIdJag(assertion);
    progress.issuer = unverified.issuer;
    progress.jti = unverified.claims.jti;
    const issuer = deps.issuers.find(unverified.issuer);
    // ID-JAG draft §8.3: an issuer must not buy access tokens of itself.
    if (!issuer || issuer.issuer === config.server.issuer) {
      throw new IdJagRefusal('issuer', unverified.issuer);
    }
    await verifySignature(assertion ?? '', { issuer, kid: unverified.header.kid });
    progress.verified = true;
    progress.subject = unverified.claims.sub;
    const idJag = judgeClaims(unverified, {
      audience: config.server.issuer,
      clientId: client.clientId,
      now: deps.now(),
    });
    if (idJag.jkt !== undefined && idJag.jkt !== jkt) throw new IdJagRefusal('proof');
    return { idJag, issuer };
  }

  async function authorize(
    { client, resources: requested, scope, beforePerson, meta }: AssertionRequest,
    idJag: IdJag,
    issuer: TrustedIssuer,
  ): Promise<AcceptedAssertion> {
    const { resolve } = deps.resources;
    const resource = chooseAssertedResource(idJag, { requested, resolve, issuer, client });
    const scopesFor = (user?: ScopeUser) =>
      chooseAssertedScopes(idJag, {
        ...{ requested: scope, resource, issuer, client, user },
        requireScope: config.oauth.require_scope,
      });
    scopesFor();
    const claim = claimOf(idJag);
    const [claimed] = await deps.db.run(isClaimed, [claim.id]);
    if (claimed) throw new IdJagRefusal('replayed');
    beforePerson(resource);
    const by = { ...meta, actor: actorOf(client) };
    const judgeNew = () => {
      scopesFor({ id: '', email: idJag.email, groups: [] });
      if (resource.workspaceScoped) throw new IdJagRefusal('workspace', 0);
    };
    const user = await personOf(idJag, issuer, { judgeNew, by });
    const workspace = resource.workspaceScoped ? await onlyWorkspaceOf(user) : undefined;
    const scopes = scopesFor({ ...user, workspaceRoles: workspace && [workspace.role] });
    const { issuer: iss, jti } = idJag;
    return { issuer: iss, jtiHash: hashId(jti), user, resource, workspace, scopes, claim };
  }

  /** An assertion names no workspace, and nobody is there to choose. */
  async function onlyWorkspaceOf(user: User): Promise<Membership> {
    const [only, ...others] = await deps.workspaces.membershipsOf(user.id);
    if (only && others.length === 0) return only;
    throw new IdJagRefusal('workspace', only ? others.length + 1 : 0);
  }

  /** @param judgeNew refuses what nobody new may have, before an account is made for it */
  async function personOf(
    { issuer: iss, subject, email, name }: IdJag,
    { subject: mode }: TrustedIssuer,
    { judgeNew, by }: { judgeNew: () => void; by: ChangeMeta },
  ): Promise<User> {
    const { identities } = deps.accounts;
    const key = { issuer: iss, subject };
    const known = await identities.find(key);
    if (!known && mode === 'strict') throw new IdJagRefusal('subject_unknown', subject);
    if (!known) judgeNew();
    const user = known ?? (await identities.findOrCreate({ ...key, email, name }, by));
    if (user.status !== 'active') throw new IdJagRefusal('user_disabled', user.id);
    return user;
  }

  return { accept };
}

/** Once per issuer, for as long as it could be presented. */
function claimOf({ issuer, jti, expiresAt }: IdJag): AcceptedAssertion['claim'] {
  return {
    id: hashId(JSON.stringify(['id_jag', issuer, jti])),
    expiresAt: new Date(expiresAt.getTime() + clockError * 1000),
    kind: 'authorization',
  };
}

function actorOf({ clientId }: Client) {
  return { kind: 'client' as const, id: clientId };
}

/**
 * Nothing for what is no refusal of the assertion. Attack: strangers fill the audit log with forged ones, by
 * clients that they make up (and sign for); so either the issuer or the operator must have a part in it.
 */
function refusalEvent(
  error: unknown,
  { client }: AssertionRequest,
  { issuer, jti, subject, verified }: Progress,
): AuditEvent | undefined {
  const reason = reasonOf(error);
  if (!reason || !(verified || client.kind === 'preregistered')) return undefined;
  return {
    type: 'assertion_refused',
    actor: actorOf(client),
    clientId: client.clientId,
    detail: {
      reason,
      ...{ issuer: issuer && shown(issuer), verified },
      got: error instanceof IdJagRefusal ? error.got : undefined,
      subject: verified && typeof subject === 'string' ? subject : undefined,
      jti_hash: typeof jti === 'string' ? hashId(jti) : undefined,
    },
  };
}

function reasonOf(error: unknown): IdJagReason | undefined {
  if (error instanceof IdJagRefusal) return error.reason;
  const isAboutScope = error instanceof OAuthError && error.error === 'invalid_scope';
  return isAboutScope ? 'scope_not_allowed' : undefined;
}
