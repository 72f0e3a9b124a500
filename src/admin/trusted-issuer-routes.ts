import { cutPage, pageCursor } from '../http/index.ts';
import type { TrustedIssuers } from '../tokens/index.ts';
import { trustedIssuers as contract } from './contract/index.ts';
import { fulfil, type ServedRoute } from './served-route.ts';

export interface TrustedIssuerDeps {
  trustedIssuers: Pick<TrustedIssuers, 'all'>;
}

/** Who may vouch for people; the room holds them all in memory. */
export function trustedIssuerRoutes({ trustedIssuers }: TrustedIssuerDeps): ServedRoute[] {
  return [
    fulfil(contract.list, async ({ query: { limit, cursor } }) => {
      const cursors = pageCursor('trusted-issuers');
      const after = cursor === undefined ? undefined : cursors.read(cursor).id;
      const rows = trustedIssuers
        .all()
        .toSorted((a, b) => (a.issuer < b.issuer ? -1 : 1))
        .filter(({ issuer }) => after === undefined || issuer > after);
      const place = ({ issuer: id }: { issuer: string }) => ({ at: new Date(0), id });
      const { items, next } = cutPage(rows, limit, place);
      return {
        items: items.map(({ jwksUri, jwks: _, clients, resources, scopes, ...row }) => ({
          id: row.issuer,
          ...row,
          jwks_uri: jwksUri ?? null,
          clients: clients ?? null,
          resources: resources ?? null,
          scopes: scopes ?? null,
        })),
        ...(next && { next_cursor: cursors.write(next) }),
      };
    }),
  ];
}
