import type { Workspaces } from '../accounts/index.ts';
import type { By } from './caller.ts';
import { session as contract } from './contract/index.ts';
import { fulfil, type ServedRoute } from './served-route.ts';
import { type AdminSessionCookies, administered } from './session-cookies.ts';

export interface SessionDeps {
  workspaces: Pick<Workspaces, 'membershipsOf'>;
}

/** Who calls, and the way out. */
export function sessionRoutes(
  { workspaces }: SessionDeps,
  sessions: Pick<AdminSessionCookies, 'endSession'>,
): ServedRoute[] {
  return [
    fulfil(contract.get, async (_request, { kind, role, signedIn }) => {
      if (!signedIn) return { ...nobody, kind, role };
      const { csrf, session } = signedIn;
      const { id, email, name = null } = session.user;
      return {
        ...{ kind, role, csrf },
        user: { id, email, name },
        workspaces: await administered(workspaces, id),
        expires_at: session.expiresAt.toISOString(),
        ends_at: session.endsAt.toISOString(),
      };
    }),

    fulfil(contract.end, async (_request, { signedIn, meta }: By) => ({
      signed_out: signedIn ? await sessions.endSession(signedIn.session.id, meta) : false,
    })),
  ];
}

/** A program has a role and nothing else. */
const nobody = { user: null, workspaces: [], csrf: null, expires_at: null, ends_at: null };
