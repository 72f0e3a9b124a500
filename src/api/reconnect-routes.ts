import type { Context } from 'koa';
import { z } from 'zod';
import { type Fields, readForm, readJson, single } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { ApiDeps } from './deps.ts';
import type { ReconnectLinks } from './reconnect-links.ts';
import type { OpenRoute } from './route.ts';

const longestBody = 16 * 1024;

const text = z.string().min(1).max(2048);
const body = z.strictObject({
  resource: text.optional(),
  sub: z.string().min(1).max(200).optional(),
  label: z.string().max(200).optional(),
  client_id: text.optional(),
  client_secret: text.optional(),
  client_assertion: z.string().max(8192).optional(),
  client_assertion_type: text.optional(),
});

/**
 * `POST /api/workspaces/{id}/reconnect-links`: a resource server asks for a link that one of its people opens.
 * It authenticates as at introspection, in the header or in the body, which is JSON or a form.
 */
export function reconnectRoutes(
  { config, auditMeta, bridge }: ApiDeps,
  links: ReconnectLinks,
): OpenRoute[] {
  const issuer = config.server.issuer.replace(/\/$/, '');
  return [
    {
      ...{ method: 'POST', path: '/api/workspaces/:id/reconnect-links', open: true },
      async handle(ctx) {
        const { resource, sub, label, ...authentication } = await readBody(ctx);
        const workspaceId = String(ctx.params.id);
        await bridge.answerClient(ctx, authentication, async (clientId) => {
          const request = { clientId, workspaceId, resource, userId: sub, label };
          const { secret, expiresAt } = await links.create(request, auditMeta());
          const url = `${issuer}/reconnect/${secret}`;
          return { status: 201, body: { url, expires_at: expiresAt.toISOString() } };
        });
      },
    },
  ];
}

async function readBody(ctx: Context) {
  const sent = body.safeParse(await readAny(ctx));
  if (sent.success) return sent.data;
  const [issue] = sent.error.issues;
  const where = issue?.path.join('.') || 'The body';
  const names = Object.keys(body.shape).join(', ');
  throw new OAuthError('invalid_request', `${where}: ${issue?.message}. It takes: ${names}.`);
}

async function readAny(ctx: Context): Promise<unknown> {
  if (ctx.is('application/x-www-form-urlencoded')) return once(await readForm(ctx, longestBody));
  const length = ctx.get('transfer-encoding') === '' ? Number(ctx.get('content-length')) : 1;
  if (length === 0 && ctx.get('content-type') === '') return {};
  return readJson(ctx, { limitBytes: longestBody, maxDepth: 3 });
}

/** @throws OAuthError invalid_request for a parameter that was sent twice */
function once(fields: Fields): Record<string, string | undefined> {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, single(fields, name)]));
}
