import { createHmac } from 'node:crypto';
import type { Context } from 'koa';
import type { AdminSession, createAdminSessions, User, Workspaces } from '../accounts/index.ts';
import type { AuditMeta } from '../audit/index.ts';
import { hashId } from '../db/index.ts';
import { clearCookie, currentRequest, readCookie, setCookie } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { CallerRole, SignedIn } from './caller.ts';
import { comparison } from './comparison.ts';

const cookie = 'authserver_admin';

export interface SessionCookieDeps {
  adminSessions: ReturnType<typeof createAdminSessions>;
  workspaces: Pick<Workspaces, 'membershipsOf'>;
  auditMeta: () => AuditMeta;
}

/** What somebody may here, now. */
export interface Standing {
  role: CallerRole;
  workspaceIds?: readonly string[];
}

/** Somebody who has proved who they are. */
export interface Proved {
  user: User;
  /** Slug of the identity provider; none for a password. */
  provider?: string | undefined;
}

export type AdminSessionCookies = ReturnType<typeof createSessionCookies>;

/** Starts the session of somebody who has proved who they are. @returns false when they have no role here */
export type StartAdminSession = (ctx: Context, proved: Proved) => Promise<boolean>;

/**
 * The sessions of the admin listener, by cookie: `__Host-authserver_admin` on https, `authserver_admin` on
 * this computer; SameSite=Strict, since nothing that needs it is ever reached from another site.
 *
 * @param cookieSecret `session.secret`
 */
export function createSessionCookies(
  { adminSessions, workspaces, auditMeta }: SessionCookieDeps,
  cookieSecret: string,
) {
  /** Nobody is let in without a role or a workspace of which they are an admin. */
  async function standingOf({ id, role }: User): Promise<Standing | undefined> {
    if (role) return { role };
    const own = await administered(workspaces, id);
    return own.length > 0
      ? { role: 'workspace', workspaceIds: own.map((one) => one.id) }
      : undefined;
  }

  const cookieIn = (ctx: Context) => readCookie(ctx, currentRequest().site, cookie);

  const csrfOf = ({ id }: AdminSession) =>
    createHmac('sha256', cookieSecret).update(`admin csrf ${id}`).digest('base64url');

  return {
    /** Who is signed in, and what they may now. */
    async read(ctx: Context): Promise<(SignedIn & Standing) | undefined> {
      const value = cookieIn(ctx);
      const session = value ? await adminSessions.find(value) : undefined;
      const standing = session && (await standingOf(session.user));
      return standing && { session, csrf: csrfOf(session), ...standing };
    },

    /**
     * Starts a session under a new id, and ends the one that the browser had: nothing planted before
     * sign-in is worth anything after it (SE01).
     *
     * @returns false when they have no role here; nothing was started
     */
    async start(ctx: Context, { user, provider }: Proved): Promise<boolean> {
      const standing = await standingOf(user);
      if (!standing) return false;
      const before = cookieIn(ctx);
      const replaces = before ? hashId(before) : undefined;
      const { value, endsAt } = await adminSessions.start(
        { user, provider, role: standing.role, replaces },
        auditMeta(),
      );
      const { site, receivedAt } = currentRequest();
      const maxAge = (endsAt.getTime() - receivedAt.getTime()) / 1000;
      setCookie(ctx, site, cookie, value, maxAge, 'Strict');
      return true;
    },

    /**
     * Attack: another site, or a page on another port of this computer, makes the browser of somebody who is
     * signed in call us (AD04).
     *
     * @param csrf what was sent with it, of a call that is not a GET
     * @throws OAuthError access_denied, 403
     */
    check(ctx: Context, signedIn: SignedIn, csrf: string | undefined): void {
      refuseOtherSites(ctx);
      if (ctx.method === 'GET' || ctx.method === 'HEAD') return;
      if (comparison(signedIn.csrf)(csrf ?? '')) return;
      throw forbidden(
        'Send the csrf of GET /admin/api/session as X-CSRF-Token with every call that changes something.',
        { reason: 'csrf' },
      );
    },

    /** @returns whether somebody was signed in */
    async end(ctx: Context): Promise<boolean> {
      const value = cookieIn(ctx);
      clearCookie(ctx, currentRequest().site, cookie);
      return value ? adminSessions.end(hashId(value), auditMeta()) : false;
    },

    /** Ends a session that {@link read} has found; its cookie is worth nothing any more. */
    endSession: (id: string, meta: AuditMeta) => adminSessions.end(id, meta),
  };
}

/** Programs send neither header; the cookie is SameSite=Strict all the same. */
function refuseOtherSites(ctx: Context): void {
  const origin = ctx.get('origin');
  const from = ctx.get('sec-fetch-site');
  const foreign = origin !== '' && origin !== currentRequest().site.origin;
  if (foreign || from === 'cross-site' || from === 'same-site') {
    throw forbidden('This call came from another site.', { origin, from });
  }
}

function forbidden(description: string, detail: Record<string, unknown>): OAuthError {
  return new OAuthError('access_denied', description, { status: 403, detail });
}

/** The workspaces of which somebody is an admin, by name. */
export async function administered(
  workspaces: Pick<Workspaces, 'membershipsOf'>,
  userId: string,
): Promise<{ id: string; slug: string; name: string }[]> {
  const memberships = await workspaces.membershipsOf(userId);
  return memberships
    .filter(({ role }) => role === 'admin')
    .map(({ id, slug, name }) => ({ id, slug, name }));
}
