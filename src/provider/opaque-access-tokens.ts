import type Provider from 'oidc-provider';
import type { AccessToken, ClientCredentials } from 'oidc-provider';
import type { Resources } from '../resources/index.ts';
import { newOpaqueToken } from '../tokens/index.ts';

type Minting = (AccessToken | ClientCredentials) & { format?: string };

/**
 * Opaque access tokens of a resource with `token_format: opaque` have our form, `<prefix>_oat_…`. The
 * value is stored nowhere: the issuance record is keyed by its hash.
 */
export function mintOurOpaqueTokens(provider: Provider, resources: Resources): void {
  for (const { prototype } of [provider.AccessToken, provider.ClientCredentials]) {
    mintOurs(prototype, resources);
  }
}

function mintOurs(prototype: object, resources: Resources): void {
  const original: unknown = Reflect.get(prototype, 'generateTokenId');
  if (typeof original !== 'function')
    throw new TypeError('oidc-provider mints tokens differently now');
  Object.assign(prototype, {
    generateTokenId(this: Minting): string {
      if (this.resourceServer?.accessTokenFormat !== 'opaque') return original.call(this);
      this.format = 'opaque'; // as the library's own generator says
      return newOpaqueToken(resources.resolve(String(this.aud))?.tokenPrefix ?? 'as', 'oat');
    },
  });
}
