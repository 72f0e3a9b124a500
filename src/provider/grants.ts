import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { grantTypes } from '../oauth/index.ts';
import type { ProviderDeps } from './deps.ts';
import { servedGrants } from './grant-facts.ts';
import * as jwtBearer from './grants/jwt-bearer.ts';
import * as tokenExchange from './grants/token-exchange.ts';

/** A grant of ours that the library does not have: reads its parameters, decides in the rooms, mints. */
export interface OwnGrant {
  handler: (deps: ProviderDeps) => (ctx: KoaContextWithOIDC) => Promise<void>;
  /** Names of its parameters; the library drops all others. */
  parameters: readonly string[];
  /** Parameters that may be repeated. */
  repeatable?: readonly string[];
}

/** The grants that are built here, by grant type. */
const ownGrants: ReadonlyMap<string, OwnGrant> = new Map<string, OwnGrant>([
  [grantTypes.tokenExchange, tokenExchange],
  [grantTypes.jwtBearer, jwtBearer],
]);

/** Teaches the library the grants that it does not have. */
export function registerOurGrants(provider: Provider, deps: ProviderDeps): void {
  const served = servedGrants(deps.config);
  for (const [grantType, { handler, parameters, repeatable }] of ownGrants) {
    if (!served.includes(grantType)) continue;
    provider.registerGrantType(grantType, handler(deps), [...parameters], [...(repeatable ?? [])]);
  }
}
