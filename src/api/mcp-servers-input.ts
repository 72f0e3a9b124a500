import type { Context } from 'koa';
import { z } from 'zod';
import { readJson, readQuery, single } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';

const limits = { limitBytes: 64 * 1024, maxDepth: 12 };

// What of a text may be in it, the registry says; here is only how long anything can be.
const text = z.string().max(4096);
const authType = z.enum(['none', 'api_key', 'oauth', 'direct_auth']);
const settings = {
  authType: authType.optional(),
  apiKey: text.nullish(),
  oauthClientId: text.nullish(),
  oauthClientSecret: text.nullish(),
  oauthTokenEndpoint: text.nullish(),
  oauthAuthorizationEndpoint: text.nullish(),
  oauthScopes: text.nullish(),
  headers: z.record(z.string().max(200), text.nullable()).nullish(),
  connectorId: text.nullish(),
  connectorConfig: z.record(z.string().max(200), z.unknown()).nullish(),
};

/** Body of `POST /api/mcp-servers`. */
export const newServer = z.strictObject({
  workspaceId: z.string().min(1).max(200),
  name: text,
  url: text,
  ...settings,
});

/** Body of `PATCH /api/mcp-servers/{id}`: what is absent stays, null takes away. */
export const changedFields = z.strictObject({
  name: text.optional(),
  url: text.optional(),
  ...settings,
});

/** Body of `POST …/oauth-discovery`. */
export const discoveryRequest = z.strictObject({ url: text });

/** Query of the list in the management API. */
export const listQuery = z.object({
  sortBy: z.enum(['name', 'createdAt', 'updatedAt']).default('createdAt'),
  sortOrder: z.enum(['asc', 'desc']).default('asc'),
});

/** Query of the list in the REST API. */
export const restListQuery = z.object({
  workspaceId: z.string().min(1).max(200).optional(),
  q: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(4096).optional(),
});

/** Query of `disable`. */
export const disableQuery = z.object({
  clear_registration: z
    .enum(['true', 'false', 'True', 'False', '1', '0'])
    .default('false')
    .transform((flag) => ['true', 'True', '1'].includes(flag)),
});

/** Query of `icon`. */
export const iconQuery = z.object({ token: z.string().max(200).default('') });

const serverId = z.object({ server_id: z.string().regex(/^\d{1,15}$/, 'has to be an integer') });

/** The integer in the path. @throws OAuthError naming it */
export function serverIdIn(ctx: Context): number {
  return Number(take(serverId, ctx.params, 'path').server_id);
}

/** @throws OAuthError that names the member that is not good */
export async function readBody<S extends z.ZodType>(ctx: Context, schema: S): Promise<z.output<S>> {
  return take(schema, await readJson(ctx, limits), 'body');
}

/** Parameters that are not known are passed over. @throws OAuthError that names the one that is not good */
export function readParameters<S extends z.ZodType>(ctx: Context, schema: S): z.output<S> {
  const sent = readQuery(ctx);
  const once = Object.keys(sent).map((name) => [name, single(sent, name)]);
  return take(schema, Object.fromEntries(once), 'query');
}

function take<S extends z.ZodType>(
  schema: S,
  value: unknown,
  where: 'path' | 'query' | 'body',
): z.output<S> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new OAuthError('invalid_request', sentence(schema, where, worst(error.issues)));
}

/** A misspelt member is both unknown and missing: the first says more. */
function worst(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  return issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
}

/** What was wrong and what is taken. Does NOT repeat values. */
function sentence(schema: z.ZodType, where: string, issue: z.core.$ZodIssue | undefined): string {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape).join(', ') : '';
  if (issue?.code === 'unrecognized_keys') {
    const unknown = issue.keys.slice(0, 3).map((key) => key.slice(0, 50));
    return `The ${where} has an unknown member: ${unknown.join(', ')}. It takes: ${names}.`;
  }
  const member = issue?.path.map(String).join('.').slice(0, 200);
  if (!member) return `The ${where} has to be an object. It takes: ${names}.`;
  if (issue?.message.endsWith('received undefined')) {
    return `${member} is missing in the ${where}. It takes: ${names}.`;
  }
  return `${member} in the ${where} is not valid: ${issue?.message ?? ''}.`;
}
