import type { z } from 'zod';
import { findEnding } from '../audit/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import { type Database, hashId } from '../db/index.ts';
import { findFlowOf } from '../flows/index.ts';
import type { Keys } from '../keys/index.ts';
import { formatScope, OAuthError } from '../oauth/index.ts';
import type { Resources } from '../resources/index.ts';
import { findIssuanceFacts, type IssuanceFacts } from '../tokens/index.ts';
import { inspector as contract } from './contract/index.ts';
import type { inspection } from './contract/inspector.ts';
import { claimsOf, explainClaims } from './inspector-claims.ts';
import { type Members, type Pasted, readPasted, withoutWrapping } from './inspector-input.ts';
import { type Reason, reason, reasonsOf, scopesNow } from './inspector-policy.ts';
import { check, judgeJwt } from './inspector-verify.ts';
import { fulfil, type ServedRoute } from './served-route.ts';

export interface InspectorDeps {
  db: Database;
  keys: Pick<Keys, 'verificationKey' | 'list'>;
  resources: Pick<Resources, 'resolve'>;
  configuration: Pick<LoadedConfig, 'config'>;
  now: () => Date;
}

type Inspection = z.input<typeof inspection>;

/** Explains tokens. What was pasted goes nowhere: into no row, no line of the log and no answer. */
export function inspectorRoutes(deps: InspectorDeps): ServedRoute[] {
  return [
    fulfil(contract.inspect, async ({ body: { token, claims } }) => {
      if ((token === undefined) === (claims === undefined)) {
        throw new OAuthError('invalid_request', 'Send either token or claims.');
      }
      const text = withoutWrapping(token ?? '');
      const pasted: Pasted = claims ? { is: 'claims', claims } : readPasted(text);
      switch (pasted.is) {
        case 'jwt':
          return inspectJwt(deps, pasted);
        case 'claims':
          return inspectClaims(deps, pasted.claims);
        case 'encrypted':
          return encrypted(pasted.header);
        case 'mistyped':
          return unreadable(pasted.problem);
        default:
          return inspectValue(deps, text, pasted.is === 'opaque');
      }
    }),
  ];
}

async function inspectJwt(deps: InspectorDeps, jwt: Extract<Pasted, { is: 'jwt' }>) {
  const now = deps.now();
  const { issuer } = deps.configuration.config.server;
  const judged = await judgeJwt(jwt, { keys: deps.keys, issuer, now });
  const base = { format: 'jwt' as const, header: jwt.header, checks: judged.checks };
  if (!judged.isOurs) {
    return answer(deps, {
      ...base,
      ...{ kind: 'foreign_jwt', verdict: 'not_ours', reasons: judged.reasons, claims: jwt.claims },
      summary: 'This JWT is from another issuer, or names none. It was decoded, not verified.',
    });
  }
  const found = await recordOf(deps, jwt.claims);
  const isAccessToken = judged.checks.some(({ id, passed }) => id === 'typ' && passed === true);
  const record = await judgeRecord(deps, found);
  const reasons = distinct([...judged.reasons, ...record.reasons]);
  return answer(deps, {
    ...base,
    kind: isAccessToken ? 'access_token' : 'id_token',
    checks: [...judged.checks, record.check],
    ...{ reasons, facts: found, claims: jwt.claims, verdict: verdictOf(reasons) },
    summary: summaryOf('This access token', reasons),
  });
}

/** Opaque tokens and refresh tokens: known by their hash only. */
async function inspectValue(deps: InspectorDeps, value: string, isOurShape: boolean) {
  const facts = await findIssuanceFacts(deps.db, hashId(value));
  if (!facts) {
    const detail = isOurShape
      ? 'It has the form of a token of this server, but none like it was issued here, or its record was removed.'
      : 'This is no token that was issued here: no JWT, no opaque token and no refresh token that is known.';
    return answer(deps, {
      ...{ kind: 'unknown', format: isOurShape ? 'opaque' : 'none' },
      ...{ verdict: 'not_ours', summary: detail, reasons: [reason('unknown', detail)] },
      checks: [check('record', false, detail)],
    });
  }
  const { check: found, reasons } = await judgeRecord(deps, facts);
  const names = {
    access_token: 'This opaque access token',
    refresh_token: 'This refresh token',
    personal_access_token: 'This personal access token',
    workspace_credential: 'This workspace credential',
  };
  const kind = kindOf(facts);
  const scope = formatScope(scopesNow(facts, deps.resources.resolve(facts.resource)));
  const shown = claimsOf({ ...facts, scope }, deps.configuration.config.server.issuer);
  return answer(deps, {
    ...{ kind, format: 'opaque', verdict: verdictOf(reasons), reasons, facts },
    checks: [check('shape', true, 'Its hash is known.'), found],
    claims: { ...shown, ...ownClaims(facts) },
    summary: summaryOf(names[kind], reasons),
  });
}

async function inspectClaims(deps: InspectorDeps, claims: Members) {
  const ours = claims.iss === deps.configuration.config.server.issuer;
  const facts = ours || claims.iss === undefined ? await recordOf(deps, claims) : undefined;
  const record = facts ? await judgeRecord(deps, facts) : undefined;
  const said = 'These are claims without a signature, so that nobody vouches for them.';
  const detail = facts
    ? `${said} A token with this jti was issued here.`
    : `${said} No token that was issued here has this jti.`;
  return answer(deps, {
    ...{ kind: 'claims', format: 'json', claims, facts },
    verdict: record ? verdictOf(record.reasons) : 'not_ours',
    reasons: record?.reasons ?? [],
    checks: [check('signature', null, said), ...(record ? [record.check] : [])],
    summary: detail,
  });
}

function encrypted(header: Members): Inspection {
  const summary =
    'This is an encrypted token (JWE). This server issues none, and only its recipient can read it.';
  return { ...empty, kind: 'encrypted_jwt', format: 'jwt', verdict: 'not_ours', summary, header };
}

function unreadable(summary: string): Inspection {
  const checks = [check('shape', false, summary)];
  return { ...empty, kind: 'unknown', format: 'none', verdict: 'unreadable', summary, checks };
}

/** The record that claims belong to: by `jti`, and of the same client and subject. */
async function recordOf({ db }: InspectorDeps, { jti, client_id: client, sub }: Members) {
  if (typeof jti !== 'string' || jti.length > 200 || jti.includes('\0')) return undefined;
  const facts = await findIssuanceFacts(db, jti);
  const isSame =
    (client ?? null) === (facts?.client_id ?? null) && (sub ?? facts?.sub) === facts?.sub;
  return facts && isSame ? facts : undefined;
}

async function judgeRecord(deps: InspectorDeps, facts: IssuanceFacts | undefined) {
  if (!facts) {
    const detail = 'No record of it: it was never issued here, or its record was removed.';
    return { check: check('record', false, detail), reasons: [reason('unknown', detail)] };
  }
  const at = facts.revoked_at ?? facts.family_revoked_at;
  const ids = [facts.jti, facts.family_id, facts.grant_id, facts.client_id, facts.sub];
  const ending = at ? await findEnding(deps.db.kysely, at, ids) : undefined;
  const resource = deps.resources.resolve(facts.resource);
  const reasons = reasonsOf(facts, { now: deps.now(), ending, resource });
  const detail =
    reasons.length === 0
      ? 'It was issued here and nothing has ended it.'
      : 'It was issued here, and has ended.';
  return { check: check('record', reasons.length === 0, detail), reasons };
}

const empty: Omit<Inspection, 'kind' | 'format' | 'verdict' | 'summary'> = {
  checks: [],
  reasons: [],
  header: null,
  claims: [],
  issuance_id: null,
  grant_id: null,
  flow_id: null,
  client: null,
  person: null,
  resource: null,
};

type Found = Pick<Inspection, 'kind' | 'format' | 'verdict' | 'summary' | 'reasons' | 'checks'> & {
  header?: Members;
  claims?: Members;
  facts?: IssuanceFacts | undefined;
};

async function answer(
  deps: InspectorDeps,
  { facts, claims = {}, ...found }: Found,
): Promise<Inspection> {
  const audience = facts?.resource ?? (typeof claims.aud === 'string' ? claims.aud : undefined);
  const resource = audience === undefined ? undefined : deps.resources.resolve(audience);
  const known = { now: deps.now(), clientName: facts?.client_name, email: facts?.email, resource };
  const flow = facts?.family_id ? await findFlowOf(deps.db.kysely, facts.family_id) : undefined;
  const isPerson = facts?.sub.startsWith('usr_') === true;
  return {
    ...empty,
    ...found,
    claims: explainClaims(claims, known),
    issuance_id: facts?.jti ?? null,
    grant_id: facts?.grant_id ?? null,
    flow_id: flow ?? null,
    client: facts?.client_id ? { id: facts.client_id, name: facts.client_name } : null,
    person: facts && isPerson ? { id: facts.sub, username: facts.email } : null,
    resource: audience ?? null,
  };
}

const kinds = ['refresh_token', 'personal_access_token', 'workspace_credential'] as const;

function kindOf({ kind }: IssuanceFacts) {
  return kinds.find((one) => one === kind) ?? 'access_token';
}

function ownClaims({ claims }: IssuanceFacts): Members {
  const parsed: Members = JSON.parse(JSON.stringify(claims ?? {}));
  return parsed;
}

function verdictOf(reasons: readonly Reason[]): 'active' | 'inactive' {
  return reasons.length === 0 ? 'active' : 'inactive';
}

function summaryOf(what: string, [first, ...others]: readonly Reason[]): string {
  if (!first) return `${what} is good: a resource server that asks is told that it is active.`;
  const more = others.length > 0 ? ` ${others.length} more below.` : '';
  return `${what} is refused. ${first.detail}${more}`;
}

/** The signature and the record may tell the same. */
function distinct(reasons: readonly Reason[]): Reason[] {
  return reasons.filter((one, index) => reasons.findIndex(({ id }) => id === one.id) === index);
}
