import type Provider from 'oidc-provider';
import type { AccessToken } from 'oidc-provider';
import type { Resources } from '../resources/index.ts';
import { newOpaqueToken } from '../tokens/index.ts';

type Minting = AccessToken & { format?: string };

/**
 * Opaque access tokens of a resource with `token_format: opaque` have our form, `<prefix>_oat_…`. The
 * value is stored nowhere: the issuance record is keyed by its hash.
 */
export function mintOurOpaqueTokens(provider: Provider, resources: Resources): void {
  const { prototype } = provider.AccessToken;
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
