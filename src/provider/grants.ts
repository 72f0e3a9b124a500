import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Config } from '../config/index.ts';
import { grantTypes } from '../oauth/index.ts';
import type { ProviderDeps } from './deps.ts';
import * as tokenExchange from './grants/token-exchange.ts';

/** A grant of ours that the library does not have: reads its parameters, decides in the rooms, mints. */
export interface OwnGrant {
  handler: (deps: ProviderDeps) => (ctx: KoaContextWithOIDC) => Promise<void>;
  /** Names of its parameters; the library drops all others. */
  parameters: readonly string[];
  /** Parameters that may be repeated. */
  repeatable?: readonly string[];
}

type GrantConfig = Pick<Config, 'client_credentials' | 'device' | 'token_exchange'>;

/** The grants that are built here, by grant type. */
const ownGrants: ReadonlyMap<string, OwnGrant> = new Map([
  [grantTypes.tokenExchange, tokenExchange],
]);

/** Whether the configuration has a grant switched on; those that it cannot switch off are always. */
const switches: Readonly<Record<string, (config: GrantConfig) => boolean>> = {
  [grantTypes.authorizationCode]: () => true,
  [grantTypes.refreshToken]: () => true,
  [grantTypes.clientCredentials]: (config) => config.client_credentials.enabled,
  [grantTypes.deviceCode]: (config) => config.device.enabled,
  [grantTypes.tokenExchange]: (config) => config.token_exchange.enabled,
};

/** The grant types that this server serves, as its metadata names them. */
export function servedGrants(config: GrantConfig): string[] {
  return Object.keys(switches).filter((grant) => switches[grant]?.(config));
}

/** Teaches the library the grants that it does not have. */
export function registerOurGrants(provider: Provider, deps: ProviderDeps): void {
  const served = servedGrants(deps.config);
  for (const [grantType, { handler, parameters, repeatable }] of ownGrants) {
    if (!served.includes(grantType)) continue;
    provider.registerGrantType(grantType, handler(deps), [...parameters], [...(repeatable ?? [])]);
  }
}
