import { hashId } from '../db/index.ts';
import type { TrustedIssuer, TrustedIssuers } from '../tokens/index.ts';
import { trustedIssuers as contract } from './contract/index.ts';
import { pageOfFew } from './few-rows.ts';
import { type Precondition, versionOf } from './precondition.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface TrustedIssuerDeps {
  trustedIssuers: Pick<TrustedIssuers, 'all' | 'create' | 'update' | 'remove' | 'setEnabled'>;
}

/** Who may vouch for people; the room holds them all in memory. */
export function trustedIssuerRoutes({ trustedIssuers }: TrustedIssuerDeps): ServedRoute[] {
  const known = (id: string) =>
    found(trustedIssuers.all().find(({ issuer }) => idOf(issuer) === id));
  const switching = (route: typeof contract.enable, enabled: boolean) =>
    fulfil(route, async ({ params: { id } }, by) => {
      await trustedIssuers.setEnabled(known(id).issuer, enabled, by);
      return wire(known(id));
    });

  return [
    fulfil(contract.list, async ({ query }) => {
      const page = pageOfFew('trusted-issuers', trustedIssuers.all(), query, {
        key: ({ issuer }) => issuer,
        words: ({ issuer }) => [issuer, new URL(issuer).host],
      });
      return { ...page, items: page.items.map(wire) };
    }),
    fulfil(contract.get, async ({ params: { id } }) => wire(known(id))),
    fulfil(contract.create, async ({ body }, by) =>
      wire(found(await trustedIssuers.create(body, by))),
    ),
    fulfil(contract.update, async ({ params: { id }, body, precondition }, by) => {
      const check = unlessChanged(precondition);
      return wire(found(await trustedIssuers.update(known(id).issuer, body, { ...by, check })));
    }),
    fulfil(contract.remove, async ({ params: { id }, precondition }, by) => {
      const check = unlessChanged(precondition);
      return wire(found(await trustedIssuers.remove(known(id).issuer, { ...by, check })));
    }),
    switching(contract.enable, true),
    switching(contract.disable, false),
  ];
}

/** An `iss` has slashes, which proxies treat as they like in a path. */
function idOf(issuer: string): string {
  return hashId(issuer);
}

function unlessChanged(precondition: Precondition) {
  return (row: TrustedIssuer) => precondition(versionOf(row));
}

function found(issuer: TrustedIssuer | undefined): TrustedIssuer {
  if (!issuer) throw unknownId();
  return issuer;
}

function wire(issuer: TrustedIssuer) {
  const { jwksUri, jwks, clients, resources, scopes, ...row } = issuer;
  return {
    version: versionOf(issuer),
    id: idOf(row.issuer),
    issuer: row.issuer,
    jwks_uri: jwksUri ?? null,
    jwks: jwks ?? null,
    clients: clients ?? null,
    resources: resources ?? null,
    scopes: scopes ?? null,
    subject: row.subject,
    enabled: row.enabled,
    source: row.source,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
