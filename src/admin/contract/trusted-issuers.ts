import { z } from 'zod';
import { byId, pageOf, paging, plain, route, search, time, version } from './route.ts';

const list = z.array(z.string()).nullable();
const url = z.string().min(1).max(2048);
const names = z.array(z.string().min(1).max(2048)).max(1000);
const keySet = z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())).max(100) });
const subject = z
  .enum(['automatic', 'strict'])
  .describe('Make an account at first sight, or accept linked ones only');

/** An identity provider whose identity assertions (ID-JAG) are accepted. */
export const trustedIssuer = z.strictObject({
  id: z.string().describe('SHA-256 of its `iss`, base64url'),
  issuer: z.string().describe('`iss` of its assertions, byte for byte'),
  jwks_uri: z.string().nullable().describe('Null: where its own metadata says'),
  jwks: keySet.nullable().describe('Its public keys, where they are not fetched'),
  clients: list.describe('Who may present its assertions; null means any client'),
  resources: list.describe('What it may speak for; null means any resource'),
  scopes: list.describe('Ceiling of its scopes; null means any'),
  subject,
  enabled: z.boolean(),
  source: z
    .enum(['config', 'admin'])
    .describe('`config`: what the file declares comes back at the next start, but for `enabled`'),
  created_at: time,
  updated_at: time,
  version,
});

const settings = {
  jwks_uri: url.nullish(),
  jwks: keySet.nullish(),
  clients: names.nullish(),
  resources: names.nullish(),
  scopes: names.nullish(),
  subject: subject.optional(),
};

/** Trusted issuers. */
export const trustedIssuers = {
  list: route({
    ...plain,
    name: 'trusted-issuers.list',
    method: 'GET',
    path: '/admin/api/trusted-issuers',
    permission: 'viewer',
    summary: 'List the issuers whose identity assertions are accepted',
    query: z.strictObject({
      ...paging,
      ...search('issuer or its host'),
      sort: z.enum(['issuer', '-issuer']).default('issuer'),
      enabled: z.enum(['true', 'false']).optional(),
      source: z.enum(['config', 'admin']).optional(),
    }),
    answer: pageOf(trustedIssuer),
  }),
  get: route({
    ...plain,
    name: 'trusted-issuers.get',
    method: 'GET',
    path: '/admin/api/trusted-issuers/{id}',
    permission: 'viewer',
    summary: 'One trusted issuer',
    params: byId,
    answer: trustedIssuer,
  }),
  create: route({
    ...plain,
    name: 'trusted-issuers.create',
    method: 'POST',
    path: '/admin/api/trusted-issuers',
    permission: 'owner',
    summary: 'Accept the identity assertions of an issuer',
    body: z.strictObject({ issuer: url, ...settings }),
    answer: trustedIssuer,
    status: 201,
  }),
  update: route({
    ...plain,
    name: 'trusted-issuers.update',
    method: 'PATCH',
    path: '/admin/api/trusted-issuers/{id}',
    permission: 'owner',
    summary: 'Change what an issuer is trusted for; what is absent stays, null takes it away',
    params: byId,
    conditional: true,
    body: z.strictObject(settings),
    answer: trustedIssuer,
  }),
  remove: route({
    ...plain,
    name: 'trusted-issuers.remove',
    method: 'DELETE',
    path: '/admin/api/trusted-issuers/{id}',
    permission: 'owner',
    summary: 'End the trust in an issuer for good; tokens it has bought live out their time',
    params: byId,
    conditional: true,
    answer: trustedIssuer,
  }),
  enable: route({
    ...plain,
    name: 'trusted-issuers.enable',
    method: 'POST',
    path: '/admin/api/trusted-issuers/{id}/enable',
    permission: 'owner',
    summary: 'Accept its assertions again',
    params: byId,
    answer: trustedIssuer,
  }),
  disable: route({
    ...plain,
    name: 'trusted-issuers.disable',
    method: 'POST',
    path: '/admin/api/trusted-issuers/{id}/disable',
    permission: 'owner',
    summary: 'Accept none of its assertions; tokens it has bought live out their time',
    params: byId,
    answer: trustedIssuer,
  }),
};

export const trustedIssuerSchemas = { TrustedIssuer: trustedIssuer };
