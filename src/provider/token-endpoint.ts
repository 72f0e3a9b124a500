import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type AuditMeta, auditRow, type Metrics } from '../audit/index.ts';
import type { Fields } from '../http/index.ts';
import { openUnder, sealUnder } from '../keys/index.ts';
import { grantTypes } from '../oauth/index.ts';
import {
  deviceCodeKind,
  type Exchange,
  judgeCode,
  judgeRefresh,
  type Outcome,
  reuseVerdict,
  type Source,
} from '../tokens/index.ts';
import { refreshTokenIssued } from './issuance.ts';
import { stateOf } from './request-state.ts';
import { replayEvents, requireDone, usedAlready, wasAssertion } from './token-refusals.ts';
import { newTokenRequest, type TokenRequest } from './token-request.ts';

export interface TokenEndpointDeps {
  exchange: Exchange;
  metrics: Metrics;
  /** `oauth.refresh_overlap`, in seconds. */
  overlap: number;
  now: () => Date;
  auditMeta: () => AuditMeta;
}

interface TokenResponse extends Record<string, unknown> {
  access_token: string;
  refresh_token?: string;
}

/**
 * The token endpoint as one unit of work around the library: read what was presented in one
 * statement, let the library decide, write what follows in one statement that fails as a whole.
 */
export function tokenEndpoint(deps: TokenEndpointDeps): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    const state = stateOf(ctx);
    const token = newTokenRequest(deps.now());
    state.token = token;
    await readPresented(token, state.form, deps);
    await next();
    if (isTokenResponse(ctx.status, ctx.body)) {
      await complete(ctx, token, ctx.body, deps);
      countIssued(token, deps.metrics);
    } else await leaveTraces(token, deps);
  };
}

async function readPresented(
  token: TokenRequest,
  form: Fields,
  { exchange, overlap }: TokenEndpointDeps,
): Promise<void> {
  if (form.grant_type === 'refresh_token' && typeof form.refresh_token === 'string') {
    token.source = await exchange.read('RefreshToken', form.refresh_token);
    if (token.source) token.mode = judgeRefresh(token.source, overlap, token.receivedAt);
  }
  const [kind, code] = presentedCode(form);
  if (kind !== undefined && typeof code === 'string') {
    token.source = await exchange.read(kind, code);
    const judgement = judgeCode(token.source?.consumedAt, token.receivedAt);
    token.mode = judgement === 'replayed' ? 'reused' : judgement;
  }
}

/** What is good for one use. A device code that nobody has approved yet reads as nothing. */
function presentedCode({ grant_type, code, device_code }: Fields) {
  if (grant_type === grantTypes.authorizationCode) return ['AuthorizationCode', code] as const;
  if (grant_type === grantTypes.deviceCode) return [deviceCodeKind, device_code] as const;
  return [undefined, undefined] as const;
}

async function complete(
  ctx: KoaContextWithOIDC,
  token: TokenRequest,
  body: TokenResponse,
  deps: TokenEndpointDeps,
): Promise<void> {
  const { source } = token;
  if (token.handedOn) return;
  if (!source) return settle(await commitDerived(token, deps), token, deps);
  if (token.mode === 'overlap') {
    ctx.body = await answerOverlap(token, source, body, deps);
    return;
  }
  const outcome = await commit(token, source, deps);
  if (outcome !== 'lost_race') return settle(outcome, token, deps);
  if (source.kind !== 'RefreshToken') throw usedAlready();
  token.claims = []; // they were claimed by the write that lost
  ctx.body = await answerOverlap(token, source, body, deps);
}

/**
 * Claims now what the request uses up, where no write of our own follows.
 *
 * @throws OAuthError for what came a second time, which is put on record
 */
export async function claimNow(
  token: TokenRequest,
  deps: Pick<TokenEndpointDeps, 'exchange' | 'auditMeta' | 'now'>,
): Promise<void> {
  const { claims } = token;
  token.claims = []; // they are claimed once, whatever becomes of the request
  if (claims.length === 0) return;
  const again = await deps.exchange.refuse({ claims, events: [] }, deps.now());
  if (again.length > 0) await settle({ replayed: again }, { ...token, claims }, deps);
}

/** @throws OAuthError unless everything was written; what came a second time is put on record */
async function settle(
  outcome: Outcome,
  token: TokenRequest,
  { exchange, auditMeta, now }: Pick<TokenEndpointDeps, 'exchange' | 'auditMeta' | 'now'>,
): Promise<void> {
  const events = replayEvents(outcome, token).map((event) => auditRow(event, auditMeta()));
  if (events.length > 0) await exchange.refuse({ claims: [], events }, now());
  requireDone(outcome, token);
}

/** A token that no code or refresh token stands behind: machines, exchanges, identity assertions. */
function commitDerived(token: TokenRequest, deps: TokenEndpointDeps): Promise<Outcome> {
  const [issuance] = token.issuances;
  if (!issuance?.client_id) throw new TypeError('a token was issued without a client');
  const { userId, parent, grantId, workspace } = token.derivation ?? {};
  const meta = deps.auditMeta();
  return deps.exchange.commitIssuance(
    {
      clientId: issuance.client_id,
      userId,
      resource: issuance.resource,
      claims: token.claims,
      parentJti: parent?.jti,
      grantId,
      workspaceId: workspace?.id,
      issuances: token.issuances,
      events: token.events.map((event) => auditRow(event, meta)),
    },
    deps.now(),
  );
}

function commit(token: TokenRequest, source: Source, deps: TokenEndpointDeps) {
  const { successor } = token;
  const records = writes(token, source, deps);
  return deps.exchange.commit(
    {
      ...records,
      issuances: [...records.issuances, ...refreshTokenIssued(successor, records.issuances[0])],
      consume: token.consume,
      successor: successor && { ...successor, sealed: seal(source, successor.value) },
    },
    deps.now(),
  );
}

/** The successor is kept under a key that only the presented token yields; codes keep none. */
function seal(source: Source, successor: string): string | undefined {
  if (source.kind !== 'RefreshToken') return undefined;
  return sealUnder(source.value, source.familyId, successor);
}

function writes(token: TokenRequest, source: Source, { auditMeta }: TokenEndpointDeps) {
  const meta = auditMeta();
  return {
    familyId: source.familyId,
    resource: token.issuances[0]?.resource ?? '',
    claims: token.claims,
    issuances: token.issuances,
    events: token.events.map((event) => auditRow(event, meta)),
  };
}

/**
 * A parallel or repeated refresh inside the window (RFC 9700 §4.14.2): the newest refresh token of
 * the chain, and the access token that was just minted for this request.
 */
async function answerOverlap(
  token: TokenRequest,
  source: Source,
  body: TokenResponse,
  deps: TokenEndpointDeps,
): Promise<TokenResponse> {
  const newest = openChain(source, await deps.exchange.chain(source.value));
  if (newest === undefined) throw usedAlready();
  token.events = token.events.map((event) =>
    event.type === 'token_refreshed'
      ? { ...event, detail: { ...event.detail, overlap: true } }
      : event,
  );
  const outcome = await deps.exchange.commit(writes(token, source, deps), deps.now());
  await settle(outcome === 'lost_race' ? 'not_allowed' : outcome, token, deps);
  deps.metrics.refreshOverlapAbsorbed();
  return { ...body, refresh_token: newest };
}

/** Opens successor after successor, each under its predecessor's value. */
function openChain(source: Source, sealed: (string | null)[]): string | undefined {
  let value: string | undefined = source.value;
  for (const one of sealed) {
    if (one === null || value === undefined) return undefined;
    value = openUnder(value, source.familyId, one);
  }
  return sealed.length > 0 ? value : undefined;
}

/** What a refused request leaves behind: replay claims, the end of a reused family, its audit. */
async function leaveTraces(token: TokenRequest, deps: TokenEndpointDeps): Promise<void> {
  const meta = deps.auditMeta();
  const events = token.endFamily ? reuseEvents(token, deps) : [];
  if (token.claims.length === 0 && !token.endFamily) return;
  const again = await deps.exchange.refuse(
    {
      claims: token.claims,
      endFamily: token.endFamily,
      events: events.map((event) => auditRow(event, meta)),
    },
    deps.now(),
  );
  // Who shows a used assertion has not authenticated: nothing else that was refused is told.
  if (wasAssertion(again, token)) await settle({ replayed: again }, token, deps);
}

function reuseEvents({ source, endFamily }: TokenRequest, { overlap, now }: TokenEndpointDeps) {
  if (!source) return [];
  const who = {
    actor: { kind: 'client' as const, id: source.clientId },
    clientId: source.clientId,
    userId: source.userId,
  };
  const age =
    source.consumedAt && Math.round((now().getTime() - source.consumedAt.getTime()) / 1000);
  if (source.kind !== 'RefreshToken') {
    return [{ ...who, type: 'auth_code_reused' as const, detail: { family_id: endFamily, age } }];
  }
  const verdict = reuseVerdict(source.consumedAt, now(), overlap);
  const detail = { family_id: source.familyId, verdict, age };
  return [{ ...who, type: 'refresh_token_reused' as const, detail }];
}

function countIssued({ issuances }: TokenRequest, metrics: Metrics): void {
  for (const { grant_type: grantType, token_type: tokenType } of issuances) {
    metrics.tokenIssued({ grantType, tokenType });
  }
}

function isTokenResponse(status: number, body: unknown): body is TokenResponse {
  return status === 200 && typeof body === 'object' && body !== null && 'access_token' in body;
}
