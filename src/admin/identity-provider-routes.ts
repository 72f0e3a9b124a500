import type { Federation, IdentityProvider, IdentityProviders } from '../accounts/index.ts';
import { identityProviders as contract } from './contract/index.ts';
import { pageOfFew } from './few-rows.ts';
import { type Precondition, versionOf } from './precondition.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface IdentityProviderDeps {
  identityProviders: Pick<IdentityProviders, 'all' | 'create' | 'update' | 'remove' | 'setEnabled'>;
  federation: Pick<Federation, 'test' | 'callbackOf'>;
}

/** Where people may sign in instead; the room holds them all in memory. */
export function identityProviderRoutes({
  identityProviders,
  federation,
}: IdentityProviderDeps): ServedRoute[] {
  const known = (id: string) => found(identityProviders.all().find(({ slug }) => slug === id));
  const wire = (row: IdentityProvider) => wireWith(row, federation.callbackOf(row.slug));
  const switching = (route: typeof contract.enable, enabled: boolean) =>
    fulfil(route, async ({ params: { id } }, by) =>
      wire(found(await identityProviders.setEnabled(id, enabled, by))),
    );

  return [
    fulfil(contract.list, async ({ query }) => {
      const page = pageOfFew('identity-providers', identityProviders.all(), query, {
        key: ({ slug }) => slug,
        words: ({ slug, display_name, issuer }) => [slug, display_name, new URL(issuer).host],
      });
      return { ...page, items: page.items.map(wire) };
    }),
    fulfil(contract.get, async ({ params: { id } }) => wire(known(id))),
    fulfil(contract.create, async ({ body }, by) =>
      wire(found(await identityProviders.create(body, by))),
    ),
    fulfil(contract.update, async ({ params: { id }, body, precondition }, by) => {
      const check = unlessChanged(precondition);
      return wire(found(await identityProviders.update(id, body, { ...by, check })));
    }),
    fulfil(contract.remove, async ({ params: { id }, precondition }, by) => {
      const check = unlessChanged(precondition);
      return wire(found(await identityProviders.remove(id, { ...by, check })));
    }),
    switching(contract.enable, true),
    switching(contract.disable, false),
    fulfil(contract.test, async ({ params: { id } }) => federation.test(known(id))),
  ];
}

function unlessChanged(precondition: Precondition) {
  return (row: IdentityProvider) => precondition(versionOf(row));
}

function found(provider: IdentityProvider | undefined): IdentityProvider {
  if (!provider) throw unknownId();
  return provider;
}

function wireWith(provider: IdentityProvider, callbackUrl: string) {
  const { secretSealed, createdAt, updatedAt, ...row } = provider;
  return {
    id: row.slug,
    ...row,
    version: versionOf(provider),
    has_client_secret: secretSealed !== null,
    callback_url: callbackUrl,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}
