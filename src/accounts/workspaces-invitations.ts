import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { recordAudit } from '../audit/index.ts';
import { type Database, hashId, type Tables } from '../db/index.ts';
import type { Passwords } from './passwords.ts';
import { checkEmail, emailKey } from './policy.ts';
import { findUser, findUserByEmailKey, markSignedInElsewhere } from './queries.ts';
import { AccountRefusal, actorOf, type ChangeMeta, type User } from './user.ts';
import { accepted, insertNewUser, newUserRow } from './user-changes.ts';
import {
  countInvitations,
  findInvitation,
  type Invitation,
  type InvitationQuery,
  listInvitations,
} from './workspaces-invitations-listing.ts';
import {
  claimInvitation,
  findInviter,
  findOpenInvitation,
  insertInvitation,
  lockInviter,
  type OpenInvitation,
  revokeInvitations,
} from './workspaces-invitations-queries.ts';
import { add } from './workspaces-members.ts';
import { findMembership } from './workspaces-members-queries.ts';
import { unknownWorkspace, WorkspaceRefusal, type WorkspaceRole } from './workspaces-policy.ts';
import { lockWorkspace } from './workspaces-queries.ts';

/** How long a link works, in milliseconds. */
const validFor = 7 * 86_400_000;
/** Most invitations of one workspace that wait at a time. */
const mostOpen = 200;

export interface NewInvitation {
  workspaceId: string;
  email: string;
  role: WorkspaceRole;
  source: Invitation['source'];
}

interface Deps {
  db: Database;
  now: () => Date;
  passwords: Passwords;
}

export type Invitations = ReturnType<typeof createInvitations>;

/**
 * One-time links with which people become members of a workspace. A link is for one address, and proves
 * nothing but that somebody has it: it never opens an account that there is.
 */
export function createInvitations(
  { db, now, passwords }: Deps,
  { localSignIn }: { localSignIn: boolean },
) {
  const transaction = <T>(work: (trx: Kysely<Tables>) => Promise<T>) =>
    db.kysely.transaction().execute(work);

  /** Uses a link up for somebody, in the given transaction. @throws WorkspaceRefusal */
  async function join(
    trx: Kysely<Tables>,
    { token, user }: { token: string; user: Pick<User, 'id' | 'email'> },
    meta: ChangeMeta,
  ): Promise<{ workspaceId: string }> {
    const claim = { tokenHash: hashId(token), emailKey: emailKey(user.email), now: now() };
    // Who invited is locked first, as where their role is taken away, so that neither waits for the other.
    const inviter = await findInviter(trx, claim.tokenHash);
    if (!inviter || !(await lockInviter(trx, inviter))) throw unusable();
    const invitation = await claimInvitation(trx, claim);
    if (!invitation) throw unusable();
    const { id, workspaceId, role } = invitation;
    const source = invitation.source === 'cli' ? 'cli' : 'admin';
    // Who is a member by now stays what they are.
    await add({ now }, trx, { workspaceId, userId: user.id, role, source }, meta);
    const detail = { workspace_id: workspaceId, invitation_id: id, role };
    const event = { actor: actorOf(meta), userId: user.id, detail };
    await recordAudit(trx, { type: 'workspace_invitation_accepted', ...event }, meta);
    return { workspaceId };
  }

  return {
    /**
     * Makes a link; it replaces those before it for the same address. The token is returned only here.
     *
     * @param meta its actor must be an admin of the workspace where the source is `account`
     * @throws WorkspaceRefusal, AccountRefusal naming what to correct
     */
    async create(
      { workspaceId, email: typed, role, source }: NewInvitation,
      meta: ChangeMeta,
    ): Promise<{ token: string; invitation: Invitation }> {
      const email = accepted('email', checkEmail(typed));
      const by = actorOf(meta);
      const inviter = {
        ...{ source, workspaceId },
        invitedBy: by.kind === 'user' || by.kind === 'admin' ? await idOf(db, by.id) : null,
      };
      return transaction(async (trx) => {
        const at = now();
        if (source === 'account' && inviter.invitedBy === null) throw notAnAdmin();
        if (!(await lockInviter(trx, inviter))) throw notAnAdmin();
        if (!(await lockWorkspace(trx, workspaceId))) throw unknownWorkspace();
        await refuseMember(trx, { workspaceId, email });
        const replaced = { workspaceId, emailKey: emailKey(email), now: at };
        await recordRevoked(trx, await revokeInvitations(trx, replaced), { workspaceId, meta });
        if ((await countInvitations(trx, { workspaceId, now: at, atMost: mostOpen })) >= mostOpen) {
          throw new WorkspaceRefusal(
            'member',
            `${mostOpen} invitations wait already. Take back some that nobody needs.`,
            409,
          );
        }
        const token = randomBytes(32).toString('base64url');
        const id = `inv_${randomBytes(12).toString('base64url')}`;
        const expiresAt = new Date(at.getTime() + validFor);
        await insertInvitation(trx, {
          ...{ id, token_hash: hashId(token), workspace_id: workspaceId, role, source },
          ...{ email, email_key: emailKey(email), invited_by: inviter.invitedBy },
          ...{ created_at: at, expires_at: expiresAt },
        });
        const detail = { workspace_id: workspaceId, invitation_id: id, email, role };
        const event = { actor: by, detail: { ...detail, expires_at: expiresAt } };
        await recordAudit(trx, { type: 'workspace_invitation_created', ...event }, meta);
        const person =
          inviter.invitedBy === null ? undefined : await findUser(trx, inviter.invitedBy);
        const invitation = {
          ...{ id, workspaceId, email, role, source, createdAt: at, expiresAt },
          ...(person && { invitedBy: person.email }),
        };
        return { token, invitation };
      });
    },

    /** @throws WorkspaceRefusal for one that does not work any more, or is of another workspace */
    revoke: (
      { workspaceId, id }: { workspaceId: string; id: string },
      meta: ChangeMeta,
    ): Promise<Invitation> =>
      transaction(async (trx) => {
        const before = await findInvitation(trx, { workspaceId, id });
        const revoked = await revokeInvitations(trx, { workspaceId, id, now: now() });
        if (!before || revoked.length === 0) throw gone();
        await recordRevoked(trx, revoked, { workspaceId, meta });
        return before;
      }),

    /** Those that still work, the latest first. */
    list: (query: InvitationQuery) => listInvitations(db.kysely, query, now()),

    /** What a link leads to. @returns undefined for a used, expired, revoked or guessed one alike (BF05) */
    open: (token: string): Promise<OpenInvitation | undefined> =>
      findOpenInvitation(db.kysely, { tokenHash: hashId(token), now: now() }),

    /**
     * Makes somebody who is signed in a member.
     *
     * @throws WorkspaceRefusal for a used, expired or guessed link and for that of another address alike
     */
    accept: (
      { token, user }: { token: string; user: Pick<User, 'id' | 'email'> },
      meta: ChangeMeta,
    ): Promise<{ workspaceId: string }> => transaction((trx) => join(trx, { token, user }, meta)),

    /**
     * Makes an account with the address of the invitation, and its person a member. A refused password
     * leaves the link usable.
     *
     * @throws AccountRefusal naming the field; `email` where there is an account with this address by now
     */
    async acceptAsNew(
      { token, password }: { token: string; password: string },
      meta: ChangeMeta,
    ): Promise<{ user: User; workspaceId: string }> {
      // Before the costly hash: whoever guesses tokens gets no work out of us.
      const found = await findOpenInvitation(db.kysely, { tokenHash: hashId(token), now: now() });
      if (!found || !localSignIn) throw unusable();
      const { email } = found;
      if (await findUserByEmailKey(db.kysely, found.emailKey)) throw taken();
      const row = await newUserRow(passwords, { email, password, source: 'admin' }, now());
      const by: ChangeMeta = { ...meta, actor: { kind: 'user', id: row.id } };
      return transaction(async (trx) => {
        const user = await insertNewUser(trx, row, by);
        if (!user) throw taken();
        const joined = await join(trx, { token, user }, by);
        await markSignedInElsewhere(trx, { id: user.id, now: now() });
        const detail = { method: 'invitation', purpose: 'account' };
        const event = { actor: actorOf(by), userId: user.id, detail };
        await recordAudit(trx, { type: 'user_login', ...event }, by);
        return { user, ...joined };
      });
    },
  };
}

/** Of somebody with an account here; the admin API has other callers, too. */
async function idOf({ kysely }: Database, id: string | undefined): Promise<string | null> {
  return id !== undefined && (await findUser(kysely, id)) ? id : null;
}

async function refuseMember(
  trx: Kysely<Tables>,
  { workspaceId, email }: { workspaceId: string; email: string },
): Promise<void> {
  const user = await findUserByEmailKey(trx, emailKey(email));
  if (!user || !(await findMembership(trx, { workspaceId, userId: user.id }))) return;
  throw new WorkspaceRefusal('member', 'This person is a member already.', 409);
}

async function recordRevoked(
  trx: Kysely<Tables>,
  revoked: { id: string; email: string }[],
  { workspaceId, meta }: { workspaceId: string; meta: ChangeMeta },
): Promise<void> {
  for (const { id, email } of revoked) {
    const detail = { workspace_id: workspaceId, invitation_id: id, email };
    const event = { actor: actorOf(meta), detail };
    await recordAudit(trx, { type: 'workspace_invitation_revoked', ...event }, meta);
  }
}

function unusable(): WorkspaceRefusal {
  return new WorkspaceRefusal(
    'workspace',
    'This invitation does not work. It works once, for seven days, and for one address; ask for a new one.',
    404,
  );
}

function gone(): WorkspaceRefusal {
  return new WorkspaceRefusal('workspace', 'This invitation is gone. Reload the page.', 404);
}

function notAnAdmin(): WorkspaceRefusal {
  return new WorkspaceRefusal('member', 'Only an admin of the workspace may invite.', 404);
}

function taken(): AccountRefusal {
  return new AccountRefusal('email', 'There is an account with this address: sign in to it', 409);
}
