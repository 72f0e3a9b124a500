import type { Context } from 'koa';
import { OAuthError } from '../oauth/index.ts';
import { isOff, unknownServer } from '../upstream/index.ts';
import type { ApiCaller, Identify } from './caller.ts';
import { signedInBrowser } from './connecting-browser.ts';
import { serversPath } from './mcp-servers.ts';
import { createServerOf, type McpServersDeps } from './mcp-servers-deps.ts';
import { iconQuery, readParameters, serverIdIn } from './mcp-servers-input.ts';
import { withUpstream } from './mcp-servers-problems.ts';
import type { OpenRoute } from './route.ts';

/** What browsers open themselves: pictures, and the way to another authorization server. */
export function openMcpServerRoutes(deps: McpServersDeps): OpenRoute[] {
  const { upstream } = deps;
  return [
    {
      ...{ method: 'GET', path: `${serversPath}/:server_id/icon`, open: true },
      async handle(ctx) {
        const { token } = readParameters(ctx, iconQuery);
        const found = await upstream.servers.find({ id: serverIdIn(ctx) });
        const server = found?.workspaceId === ctx.params.workspace_uuid ? found : undefined;
        const png = await upstream.icons.open(server, token);
        if (!png) throw unknownServer();
        sendPicture(ctx, png);
      },
    },
    {
      ...{
        method: 'GET',
        path: `${serversPath}/:server_id/oauth/authorize`,
        open: true,
        page: true,
      },
      handle: (ctx, identify) => withUpstream(ctx, () => authorize(deps, ctx, identify)),
    },
  ];
}

/** What a stranger drew: shown as a picture, and nothing in it runs wherever it is opened. */
function sendPicture(ctx: Context, png: Buffer): void {
  ctx.set('Content-Security-Policy', "default-src 'none'; sandbox");
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
  ctx.set('Content-Disposition', 'inline; filename="icon.png"');
  // Another picture has another token.
  ctx.set('Cache-Control', 'public, max-age=604800, immutable');
  ctx.type = 'image/png';
  ctx.body = png;
}

/**
 * `oauth/authorize`: a token alone is no browser, so it leads to a link that this member opens, signed in; the
 * cookie of a signed-in member leads to the other server at once. Attack: another site that sends people
 * there, who then connect what they never meant to (T15): that leads to a page of ours that asks.
 */
async function authorize(deps: McpServersDeps, ctx: Context, identify: Identify): Promise<void> {
  const { connections } = deps.upstream;
  const byToken = ctx.get('authorization') !== '';
  const signedIn = byToken ? undefined : await signedInBrowser(ctx, deps.bridge);
  const caller: ApiCaller = signedIn
    ? { user: signedIn.user, scopes: new Set(['apps:write']), jti: '' }
    : await identify(ctx, 'apps:write');
  const where = { scope: 'apps:write', within: String(ctx.params.workspace_uuid) } as const;
  const server = await createServerOf(deps)(caller, { id: serverIdIn(ctx) }, where);
  if (server.authType !== 'oauth') throw notByOAuth();
  if (isOff(server)) throw switchedOff();
  const isHere = signedIn && ['', 'same-origin', 'none'].includes(ctx.get('sec-fetch-site'));
  ctx.redirect(
    isHere
      ? (await connections.begin(server, caller.user.id, signedIn.browser)).href
      : await connections.connectLink(server, caller.user.id),
  );
}

function switchedOff(): OAuthError {
  const sentence = 'This MCP server is disabled. Enable it first.';
  return new OAuthError('invalid_request', sentence, { status: 409 });
}

function notByOAuth(): OAuthError {
  const sentence = 'Members do not connect to this MCP server by OAuth.';
  return new OAuthError('invalid_request', sentence, { status: 409 });
}
