import type { Context } from 'koa';
import { type ChangeMeta, confirmPage, credentialMadePage, whatBreaks } from '../accounts/index.ts';
import { listWorkspaceGrants } from '../consent/index.ts';
import { foreign, html, readForm, sendPage, single } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';
import { readWorkspaceCredential } from '../tokens/index.ts';
import type { ProviderDeps } from './deps.ts';
import { seeOther } from './see-other.ts';
import type { Visitor } from './workspace-access.ts';
import type { WorkspacePages } from './workspace-pages.ts';
import { defaultCredential, endpointOf, usableResources } from './workspace-view.ts';

const longestForm = 16 * 1024;
/** How long a form is known to have been sent, in milliseconds. */
const rememberSent = 86_400_000;

/** What acts in a workspace, and how that ends: connectors and credentials. */
export function workspaceConnectors(deps: ProviderDeps, pages: WorkspacePages) {
  const { csrf, tokens, now } = deps;
  const { visitor: visit, requireAdmin } = pages.access;

  const meta = ({ user }: Visitor): ChangeMeta => ({
    ...deps.auditMeta(),
    actor: { kind: 'user', id: user.id },
  });

  async function formOf(ctx: Context, { form }: Visitor) {
    const fields = await readForm(ctx, longestForm);
    csrf.check(ctx, form, single(fields, 'csrf'));
    return (name: string): string => single(fields, name) ?? '';
  }

  /** The resource that the address names. @throws OAuthError 404 */
  function resourceIn(visitor: Visitor, slug: string): Resource {
    const found = usableResources(deps, visitor).find((resource) => resource.slug === slug);
    if (!found || found.dpop === 'required') throw gone();
    return found;
  }

  async function currentOf({ workspace }: Visitor, resource: Resource) {
    const made = await tokens.credentials.list({ workspaceId: workspace.id });
    return defaultCredential(resource, made).current;
  }

  /** @returns false where it is no grant that this member may end */
  async function endGrant({ user, workspace }: Visitor, id: string): Promise<boolean> {
    const isAdmin = workspace.role === 'admin';
    const which = { workspaceId: workspace.id, ...(!isAdmin && { userId: user.id }) };
    const theirs = await listWorkspaceGrants(deps.db.kysely, which);
    if (!theirs.some((grant) => grant.id === id)) return false;
    const actor = { kind: 'user', id: user.id } as const;
    const by = { actor, meta: deps.auditMeta(), reason: 'workspace page' };
    await deps.withdrawals.withdraw([id], by);
    return true;
  }

  async function endCredential(visitor: Visitor, id: string): Promise<boolean> {
    const { user: by, workspace } = visitor;
    const which = { id, by, workspaceId: workspace.id, meta: meta(visitor) };
    return (await tokens.credentials.revoke(which)) !== undefined;
  }

  return {
    async disconnect(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      const id = (await formOf(ctx, visitor))('connector');
      const ended = (await endGrant(visitor, id)) || (await endCredential(visitor, id));
      if (!ended) throw gone();
      pages.done(ctx, visitor, 'disconnected');
    },

    /** Says what breaks, before it does. */
    async askToRegenerate(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      requireAdmin(visitor);
      const { url, form } = visitor;
      const resource = resourceIn(visitor, String(ctx.params.resource));
      const current = await currentOf(visitor, resource);
      const words = current ? 'Regenerate' : 'Create';
      const page = confirmPage({
        question: html`${words} the default token for ${foreign(resource.displayName, 60)}?`,
        consequences: whatBreaks(current, now()),
        ...{ action: `${url}/credentials/${resource.slug}`, hidden: { once: crypto.randomUUID() } },
        ...{ csrf: csrf.issue(ctx, form), act: words, cancelUrl: url },
        harmless: !current,
      });
      sendPage(ctx, page);
    },

    /** Makes it, shows it in this answer and never again. */
    async regenerate(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      requireAdmin(visitor);
      const { user: by, workspace, url, form } = visitor;
      const resource = resourceIn(visitor, String(ctx.params.resource));
      const once = (await formOf(ctx, visitor))('once');
      if (!/^[0-9a-f-]{36}$/.test(once)) throw incomplete();
      // A browser that reloads the answer sends the form again: that must not end what it has just shown.
      const until = new Date(now().getTime() + rememberSent);
      const isNew = await tokens.claimReplay(`new-credential:${by.id}:${once}`, until);
      if (!isNew) return seeOther(ctx, `${url}#credentials`);
      const replaced = (await currentOf(visitor, resource)) !== undefined;
      const { credential: value } = await tokens.credentials.regenerateDefault({
        ...{ workspaceId: workspace.id, resource, by, meta: meta(visitor) },
      });
      deps.metrics.tokenIssued({ grantType: 'workspace_credential', tokenType: 'Bearer' });
      const page = credentialMadePage({
        ...{ value, endpoint: endpointOf(visitor, resource), workspaceName: workspace.name },
        ...{ envAction: `${url}/credentials/env`, envResource: resource.slug },
        ...{ csrf: csrf.issue(ctx, form), backUrl: url, replaced },
      });
      sendPage(ctx, page);
    },

    async askToRevoke(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      requireAdmin(visitor);
      const { url, form } = visitor;
      const resource = resourceIn(visitor, String(ctx.params.resource));
      const current = await currentOf(visitor, resource);
      if (!current) return seeOther(ctx, `${url}#credentials`);
      const page = confirmPage({
        question: html`Revoke the default token for ${foreign(resource.displayName, 60)}?`,
        consequences: whatBreaks(current, now()),
        ...{ action: `${url}/credentials/revoke`, hidden: { credential: current.id } },
        ...{ csrf: csrf.issue(ctx, form), act: 'Revoke', cancelUrl: url },
      });
      sendPage(ctx, page);
    },

    async revoke(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      requireAdmin(visitor);
      const ended = await endCredential(visitor, (await formOf(ctx, visitor))('credential'));
      if (!ended) throw gone();
      pages.done(ctx, visitor, 'revoked');
    },

    /**
     * The file with a credential that the page has just shown: the form brings its value along, since we do
     * not have it any more. Attack: a form that makes us serve somebody's words as a file of ours.
     */
    async download(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      const field = await formOf(ctx, visitor);
      const resource = resourceIn(visitor, field('resource'));
      const value = field('credential');
      if (!readWorkspaceCredential(value)) throw incomplete();
      const { name } = endpointOf(visitor, resource);
      ctx.set('Cache-Control', 'no-store');
      ctx.set('X-Content-Type-Options', 'nosniff');
      ctx.set('Content-Disposition', `attachment; filename="${name}.env"`);
      ctx.set('Content-Type', 'text/plain; charset=utf-8');
      ctx.body = envFile(resource.uri, value);
    },
  };
}

/** Attack: a URL that ends its line and adds another. */
function envFile(url: string, value: string): string {
  return `MCP_URL=${JSON.stringify(url)}\nMCP_TOKEN=${JSON.stringify(value)}\n`;
}

function gone(): OAuthError {
  return new OAuthError('invalid_request', 'This is gone. Reload the page of the workspace.', {
    status: 404,
  });
}

function incomplete(): OAuthError {
  return new OAuthError('invalid_request', 'The form is not complete. Open it again.');
}
