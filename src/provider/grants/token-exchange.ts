import type { KoaContextWithOIDC } from 'oidc-provider';
import { tokenTypes } from '../../oauth/index.ts';
import { chooseTarget, delegate, exchangeLifetime, keyToProve } from '../../tokens/index.ts';
import type { ProviderDeps } from '../deps.ts';
import { inLibraryWords } from '../errors.ts';
import { type MintRequest, mintToken } from '../mint.ts';
import { noteUse } from '../personal-token-use.ts';
import { lifetimeFor } from '../resource-indicators.ts';
import { authorizeExchange } from './token-exchange-authority.ts';
import { type ExchangeParties, partiesOf } from './token-exchange-parties.ts';
import { claimsOf, eventFor, lineageOf } from './token-exchange-record.ts';
import { type ExchangeAsked, exchangeCaller, exchangeRequest } from './token-exchange-request.ts';
import { handOn } from './token-exchange-vending.ts';

export { parameters, repeatable } from './token-exchange-request.ts';

/** `urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): a token for a narrower one. */
export function handler(deps: ProviderDeps) {
  return (ctx: KoaContextWithOIDC): Promise<void> => inLibraryWords(() => exchange(deps, ctx));
}

async function exchange(deps: ProviderDeps, ctx: KoaContextWithOIDC): Promise<void> {
  const now = deps.now();
  const request = exchangeRequest(ctx.oidc.params);
  const caller = await exchangeCaller(deps, ctx.oidc.client?.clientId);
  const parties = await partiesOf(deps, { request, caller, now });
  if (await handOn(deps, ctx, { request, caller, now, ...parties })) return;
  await mintToken(deps, ctx, decide(deps, { request, caller, now, ...parties }));
  noteUse(deps, parties.subject);
}

/** What the new token is, by the rules of tokens/. */
function decide(
  deps: ProviderDeps,
  { request, caller, now, ...parties }: ExchangeAsked & ExchangeParties,
): MintRequest {
  const { subject, source, actor } = parties;
  const target = chooseTarget({ ...request, source, resources: deps.resources.all() });
  const question = { caller, subject, source, target, requested: request.scope };
  const { scopes, grantId } = authorizeExchange(question);
  const parents = [subject, ...(actor ? [actor] : [])];
  const delegation = delegate({
    subject,
    target,
    callerId: caller.clientId,
    actor: actor?.sub,
    maxDepth: deps.config.token_exchange.max_chain_depth,
  });
  return {
    ...lineageOf(question),
    claims: claimsOf(question, delegation),
    resource: target,
    scopes,
    grantId,
    expiresIn: exchangeLifetime(lifetimeFor(deps.config, target, { machine: false }), parents, now),
    requiredThumbprint: keyToProve(parents),
    issuedTokenType: tokenTypes.accessToken,
    event: eventFor(question, delegation),
  };
}
