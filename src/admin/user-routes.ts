import type { z } from 'zod';
import type { Accounts, ChangeMeta, ListedUser, User, Workspaces } from '../accounts/index.ts';
import { hashId } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { type By, sourceOf } from './caller.ts';
import { users as contract } from './contract/index.ts';
import type { user, userDetail } from './contract/users.ts';
import { permits } from './policy.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface UserDeps {
  accounts: Pick<
    Accounts,
    | 'page'
    | 'inspect'
    | 'create'
    | 'update'
    | 'setPassword'
    | 'disable'
    | 'enable'
    | 'unlock'
    | 'sessions'
    | 'identities'
    | 'passwordLinks'
  >;
  workspaces: Pick<Workspaces, 'membershipsOf'>;
  /** As configured: never from the `Host` of a request (BF05). */
  issuer: string;
}

/** People: who they are, and what operators do for them. */
export function userRoutes(deps: UserDeps): ServedRoute[] {
  const { accounts, issuer } = deps;

  /** One change to somebody who is not above the caller. */
  const change = async (id: string, by: By, work: (meta: ChangeMeta) => Promise<unknown>) => {
    const person = await accounts.inspect(id);
    if (!person) throw unknownId();
    refuseAbove(by, person);
    await work(changedBy(by));
    return detail(deps, id);
  };

  return [
    fulfil(contract.list, async ({ query }) => {
      const { items, next_cursor } = await accounts.page(query);
      return { items: items.map(toWire), next_cursor };
    }),

    fulfil(contract.get, ({ params: { id } }) => detail(deps, id)),

    fulfil(contract.create, async ({ body }, by) => {
      if (body.role !== undefined) requireOwner(by);
      const { password, invite, ...person } = { ...body, source: sourceOf(by) };
      const meta = changedBy(by);
      if (password !== undefined || !invite) {
        const { id } = await accounts.create({ ...person, password }, meta);
        return { ...(await detail(deps, id)), invite: null };
      }
      const { user: made, link } = await accounts.passwordLinks.invite(person, meta);
      return { ...(await detail(deps, made.id)), invite: toLink(issuer, link) };
    }),

    fulfil(contract.update, async ({ params: { id }, body, precondition }, by) => {
      if (!(await accounts.inspect(id))) throw unknownId();
      await accounts.update(id, body, changedBy(by), (before) => {
        precondition(versionOf(before));
        refuseAbove(by, before);
        if (body.role !== undefined && body.role !== (before.role ?? null)) requireOwner(by);
      });
      return detail(deps, id);
    }),

    fulfil(contract.disable, ({ params: { id } }, by) =>
      change(id, by, (meta) => accounts.disable(id, meta)),
    ),
    fulfil(contract.enable, ({ params: { id } }, by) =>
      change(id, by, (meta) => accounts.enable(id, meta)),
    ),
    fulfil(contract.signOut, async ({ params: { id } }, by) => {
      let ended = 0;
      const person = await change(id, by, async (meta) => {
        ended = await accounts.sessions.endAllFor(id, meta);
      });
      return { ...person, ended };
    }),
    fulfil(contract.setPassword, ({ params: { id }, body: { password } }, by) =>
      change(id, by, (meta) => accounts.setPassword(id, password, meta)),
    ),
    fulfil(contract.link, ({ params: { id }, body }, by) =>
      change(id, by, (meta) => accounts.identities.link(id, body, meta)),
    ),
    fulfil(contract.unlink, ({ params: { id }, query }, by) =>
      change(id, by, (meta) => accounts.identities.unlink(id, query, meta)),
    ),
    fulfil(contract.unlock, ({ params: { id } }, by) =>
      change(id, by, (meta) => accounts.unlock(id, meta)),
    ),

    // Attack: whoever sets the password of somebody above them takes over their account.
    ...(['reset', 'invite'] as const).map((purpose) =>
      fulfil(purpose === 'reset' ? contract.resetLink : contract.invite, async (request, by) => {
        const { id } = request.params;
        if (!(await accounts.inspect(id))) throw unknownId();
        const may = (person: User) => refuseAbove(by, person);
        return toLink(issuer, await accounts.passwordLinks.create(id, purpose, changedBy(by), may));
      }),
    ),
  ];
}

/** Where a person chooses a password; the token stands in the fragment, which browsers send to nobody. */
export function passwordLinkUrl(issuer: string, token: string): string {
  return `${issuer.replace(/\/+$/, '')}/account/password#${token}`;
}

function toLink(issuer: string, { token, expiresAt }: { token: string; expiresAt: Date }) {
  return { url: passwordLinkUrl(issuer, token), expires_at: expiresAt.toISOString() };
}

/** @throws OAuthError access_denied, 403 */
function refuseAbove(by: By, { role }: User): void {
  if (role === undefined || permits(by.role, role)) return;
  throw new OAuthError('access_denied', `Only an ${role} may do this to an ${role}.`, {
    status: 403,
  });
}

/** @throws OAuthError access_denied, 403 */
function requireOwner({ role }: By): void {
  if (role === 'owner') return;
  throw new OAuthError('access_denied', 'Only an owner may give or take roles.', { status: 403 });
}

function changedBy({ actor, meta }: By): ChangeMeta {
  return { ...meta, actor };
}

async function detail(
  { accounts, workspaces }: UserDeps,
  id: string,
): Promise<z.input<typeof userDetail>> {
  const person = await accounts.inspect(id);
  if (!person) throw unknownId();
  const identities = await accounts.identities.listFor(id);
  return {
    ...toWire(person),
    has_password: person.hasPassword,
    locked_until: person.lockedUntil?.toISOString() ?? null,
    sessions: await accounts.sessions.countFor(id),
    identities: identities.map(({ issuer, subject, createdAt, lastUsedAt }) => ({
      ...{ issuer, subject },
      created_at: createdAt.toISOString(),
      last_used_at: lastUsedAt?.toISOString() ?? null,
    })),
    workspaces: await workspaces.membershipsOf(id),
    version: versionOf(person),
  };
}

function toWire(person: ListedUser): z.input<typeof user> {
  const { id, email, name, role, groups, status, source } = person;
  return {
    ...{ id, email, name: name ?? null, role: role ?? null, groups, status, source },
    created_at: person.createdAt.toISOString(),
    updated_at: person.updatedAt.toISOString(),
    last_login_at: person.lastLoginAt?.toISOString() ?? null,
  };
}

/** Differs after every change that the console can make. */
function versionOf({ email, name, role, groups, status }: User): string {
  const facts = [email, name ?? null, role ?? null, groups, status];
  return hashId(JSON.stringify(facts)).slice(0, 16);
}
