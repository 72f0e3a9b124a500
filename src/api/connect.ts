import type { Context } from 'koa';
import type { User } from '../accounts/index.ts';
import { hashId } from '../db/index.ts';
import { currentRequest, readForm, sendPage, single } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import {
  ConnectError,
  type ConnectFailure,
  type ConnectingBrowser,
  clientDocument,
  type McpServer,
  UpstreamProblem,
} from '../upstream/index.ts';
import { connectPage, connectRefusedPage, failureSentence } from './connect-pages.ts';
import { signedInBrowser } from './connecting-browser.ts';
import type { ApiDeps } from './deps.ts';
import type { OpenRoute } from './route.ts';

const longestForm = 4096;

interface Visit {
  user: User;
  browser: ConnectingBrowser;
}

/** What a page of ours leads to: the server, the workspace that it is in, and where its form posts to. */
interface Place {
  server: McpServer;
  workspace: { name: string; slug: string };
  action: string;
  /** Names the form. */
  key: string;
}

/**
 * `/connect/…`: the pages on which a member connects another MCP server. Leaving for another authorization
 * server always takes a press of a button here, in the browser and session of that member (T15, T21).
 */
export function connectRoutes(deps: ApiDeps): OpenRoute[] {
  const { base, config, csrf, bridge, auditMeta } = deps;
  const { connections, servers } = deps.upstream;
  const page = { open: true, page: true } as const;

  /** @returns undefined after sending the browser to sign in */
  async function visit(ctx: Context): Promise<Visit | undefined> {
    const visitor = await signedInBrowser(ctx, bridge);
    if (!visitor) bridge.askToSignIn(ctx, ctx.path);
    return visitor;
  }

  /** Pages for what goes wrong; the reason is in the log, and in the audit log where somebody came back. */
  async function guarded(ctx: Context, work: () => Promise<void>): Promise<void> {
    ctx.set('Referrer-Policy', 'no-referrer'); // the address may have a secret in it
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      const { log, traceId } = currentRequest();
      log.warn({ failure: error.failure, reason: reasonOf(error.cause) }, 'not connected');
      await connections.recordRefusal(error, auditMeta());
      const { failure } = error;
      const view = { failure, traceId, accountUrl: `${base}/account` };
      sendPage(ctx, connectRefusedPage(view), { status: statusOf(failure), opener: 'keep' });
    }
  }

  async function show(
    ctx: Context,
    { user }: Visit,
    place: Place,
    problem?: { text: string; status: number },
  ): Promise<void> {
    const { server, workspace, action, key } = place;
    const view = {
      ...{ server, workspace, action, account: user.email },
      status: await connections.statusOf(server, user.id),
      csrf: csrf.issue(ctx, key),
      workspaceUrl: `${base}/account/workspaces/${workspace.slug}`,
      problem: problem?.text,
    };
    sendPage(ctx, connectPage(view), { status: problem?.status ?? 200, formAction: 'anywhere' });
  }

  /** Sends the browser to the other authorization server; what cannot be begun is said on the page. */
  async function leave(ctx: Context, visitor: Visit, place: Place): Promise<void> {
    try {
      seeOther(ctx, (await connections.begin(place.server, visitor.user.id, visitor.browser)).href);
    } catch (error) {
      if (!(error instanceof UpstreamProblem)) throw error;
      currentRequest().log.warn({ reason: reasonOf(error) }, 'a connection could not be begun');
      const text = `${failureSentence('not_ready')} ${error.message}`;
      await show(ctx, visitor, place, { text, status: 502 });
    }
  }

  /** The page of a server, for a member of its workspace. @throws OAuthError 404 */
  async function placeOf(ctx: Context, { user }: Visit): Promise<Place> {
    const uuid = String(ctx.params.uuid);
    const server = await servers.find({ uuid });
    const workspaceId = server?.workspaceId ?? '';
    const workspace =
      server && (await deps.workspaces.membership({ workspaceId, userId: user.id }));
    if (!workspace || server.authType !== 'oauth') {
      throw new OAuthError('invalid_request', 'There is no such MCP server.', { status: 404 });
    }
    const key = `connect:${uuid}:${user.id}`;
    return { server, workspace, action: `${base}/connect/servers/${uuid}`, key };
  }

  const tokenOf = (ctx: Context) => String(ctx.params.token);
  const linkPlace = (token: string, { user }: Visit) => ({
    action: `${base}/connect/${token}`,
    key: `connect:${hashId(token)}:${user.id}`,
  });

  return [
    {
      ...{ method: 'GET', path: '/connect/clients/:uuid', open: true },
      async handle(ctx) {
        const server = await servers.find({ uuid: String(ctx.params.uuid) });
        if (server?.authType !== 'oauth') {
          throw new OAuthError('invalid_request', 'There is no such client.', { status: 404 });
        }
        ctx.set('Cache-Control', 'public, max-age=300');
        ctx.set('Access-Control-Allow-Origin', '*');
        ctx.body = clientDocument(config.server.issuer, server.uuid);
      },
    },
    {
      ...{ method: 'GET', path: '/connect/callback/:uuid', ...page },
      handle: (ctx) =>
        guarded(ctx, async () => {
          // Signed out, it is nobody's: the state is used up all the same.
          const nobody = { mark: '', sessionUid: '' };
          const visitor = await signedInBrowser(ctx, bridge);
          const { uuid } = await connections.accept(
            {
              ...{ uuid: String(ctx.params.uuid), query: ctx.search },
              ...{ userId: visitor?.user.id ?? '', browser: visitor?.browser ?? nobody },
            },
            auditMeta(),
          );
          seeOther(ctx, `${base}/connect/servers/${uuid}`);
        }),
    },
    {
      ...{ method: 'GET', path: '/connect/servers/:uuid', ...page },
      handle: (ctx) =>
        guarded(ctx, async () => {
          const visitor = await visit(ctx);
          if (visitor) await show(ctx, visitor, await placeOf(ctx, visitor));
        }),
    },
    {
      ...{ method: 'POST', path: '/connect/servers/:uuid', ...page },
      handle: (ctx) =>
        guarded(ctx, async () => {
          const form = await readForm(ctx, longestForm);
          const visitor = await visit(ctx);
          if (!visitor) return;
          const place = await placeOf(ctx, visitor);
          csrf.check(ctx, place.key, single(form, 'csrf'));
          if (single(form, 'decision') !== 'disconnect') return leave(ctx, visitor, place);
          const { id } = visitor.user;
          const by = { actor: { kind: 'user', id } as const, meta: auditMeta() };
          await connections.disconnect(place.server, id, by);
          seeOther(ctx, place.action);
        }),
    },
    {
      ...{ method: 'GET', path: '/connect/:token', ...page },
      handle: (ctx) =>
        guarded(ctx, async () => {
          const visitor = await visit(ctx);
          if (!visitor) return;
          const token = tokenOf(ctx);
          const found = await connections.openLink(token, visitor.user.id);
          await show(ctx, visitor, { ...found, ...linkPlace(token, visitor) });
        }),
    },
    {
      ...{ method: 'POST', path: '/connect/:token', ...page },
      handle: (ctx) =>
        guarded(ctx, async () => {
          const form = await readForm(ctx, longestForm);
          const visitor = await visit(ctx);
          if (!visitor) return;
          const token = tokenOf(ctx);
          csrf.check(ctx, linkPlace(token, visitor).key, single(form, 'csrf'));
          const found = await connections.openLink(token, visitor.user.id);
          const server = await connections.followLink(token, visitor.user.id);
          // From here on the page of the server: the link is used up.
          const action = `${base}/connect/servers/${server.uuid}`;
          const key = `connect:${server.uuid}:${visitor.user.id}`;
          await leave(ctx, visitor, { server, workspace: found.workspace, action, key });
        }),
    },
  ];
}

/** What another server did is no fault of this one; everything else is refused. */
function statusOf(failure: ConnectFailure): number {
  return failure === 'unreachable' ? 503 : 403;
}

/** For the log: codes and sentences of ours, and never an answer of another server. */
function reasonOf(cause: unknown) {
  if (!(cause instanceof UpstreamProblem)) return cause === undefined ? undefined : 'unexpected';
  const { code, field, oauthError, message } = cause;
  return { code, field, error: oauthError, message };
}

function seeOther(ctx: Context, to: string): void {
  ctx.status = 303;
  ctx.redirect(to);
  ctx.body = '';
}
