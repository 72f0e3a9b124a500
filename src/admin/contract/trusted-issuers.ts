import { z } from 'zod';
import { pageOf, paging, plain, route } from './route.ts';

const list = z.array(z.string()).nullable();

/** An identity provider whose identity assertions (ID-JAG) are accepted. */
export const trustedIssuer = z.strictObject({
  id: z.string().describe('Its `iss`'),
  issuer: z.string(),
  jwks_uri: z.string().nullable(),
  clients: list.describe('Who may present its assertions; null means any client'),
  resources: list.describe('What it may speak for; null means any resource'),
  scopes: list.describe('Ceiling of its scopes; null means any'),
  subject: z.enum(['automatic', 'strict']),
  enabled: z.boolean(),
  source: z.enum(['config', 'admin']),
});

/** Trusted issuers. */
export const trustedIssuers = {
  list: route({
    ...plain,
    name: 'trusted-issuers.list',
    method: 'GET',
    path: '/admin/api/trusted-issuers',
    permission: 'viewer',
    summary: 'List the issuers whose identity assertions are accepted',
    query: z.strictObject({ ...paging }),
    answer: pageOf(trustedIssuer),
  }),
};

export const trustedIssuerSchemas = { TrustedIssuer: trustedIssuer };
