import type { Kysely } from 'kysely';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import { type ProvidedPerson, type ProviderClaims, readPerson } from './federation-policy.ts';
import { type BeganAt, ProviderSignInError } from './federation-problems.ts';
import type { Identities } from './identities.ts';
import type { IdentityProvider } from './identity-provider-row.ts';
import { markSignedInElsewhere } from './queries.ts';
import { AccountRefusal, toUser, type User } from './user.ts';
import { changeUser, type UserChange } from './user-changes.ts';

interface Deps {
  db: Database;
  now: () => Date;
  identities: Pick<Identities, 'find' | 'findOrCreate'>;
}

interface Proved {
  provider: IdentityProvider;
  beganAt: BeganAt;
  /** `sub` there. */
  subject: string;
  claims: ProviderClaims;
}

/**
 * The account of a person whom a provider vouches for: found by issuer and subject alone, made where there
 * is none and the provider may, then brought up to date with role, groups and name.
 *
 * Does NOT make a session; does NOT check what the account may do.
 */
export function createFederatedSignIn({ db, now, identities }: Deps) {
  /** @throws ProviderSignInError `unknown` or `disabled` */
  return async (proved: Proved, meta: AuditMeta): Promise<User> => {
    const { provider, beganAt, subject, claims } = proved;
    const person = readPerson(provider, claims);
    const key = { issuer: provider.issuer, subject };
    const { email, name } = person;
    const refuse = (failure: 'unknown' | 'disabled', userId?: string) =>
      new ProviderSignInError(failure, {
        ...{ provider: provider.slug, beganAt },
        ...(userId !== undefined && { userId }),
      });
    const user = provider.automatic
      ? await identities.findOrCreate({ ...key, email, name }, meta)
      : await identities.find(key);
    if (!user) throw refuse('unknown');
    if (user.status !== 'active') throw refuse('disabled', user.id);
    const signedIn = await db.kysely.transaction().execute(async (trx) => {
      await bringUpToDate(trx, user, { person, provider, now: now(), meta });
      const row = await markSignedInElsewhere(trx, { id: user.id, now: now() });
      if (!row) return undefined;
      const detail = {
        method: 'identity_provider',
        provider: provider.slug,
        purpose: beganAt.purpose === 'login' ? 'authorize' : beganAt.purpose,
      };
      const actor = { kind: 'user', id: user.id } as const;
      await recordAudit(trx, { type: 'user_login', actor, userId: user.id, detail }, meta);
      return toUser(row);
    });
    if (!signedIn) throw refuse('disabled', user.id);
    return signedIn;
  };
}

interface Update {
  person: ProvidedPerson;
  provider: IdentityProvider;
  now: Date;
  meta: AuditMeta;
}

/** Most sign-ins change nothing, and then wait for nobody. */
async function bringUpToDate(trx: Kysely<Tables>, user: User, update: Update): Promise<void> {
  const { person, provider, now, meta } = update;
  const change = changeOf(user, person);
  if (Object.keys(change).length === 0) return;
  const by = {
    ...meta,
    actor: { kind: 'system', id: `identity_provider:${provider.slug}` } as const,
  };
  const write = (wanted: UserChange) =>
    changeUser(trx, { id: user.id, change: wanted, now, meta: by });
  try {
    await write(change);
  } catch (error) {
    if (!(error instanceof AccountRefusal) || error.field !== 'role') throw error;
    const { role, ...rest } = change;
    await write(rest);
    const detail = { provider: provider.slug, role: role ?? undefined };
    const event = { actor: by.actor, userId: user.id, detail };
    await recordAudit(trx, { type: 'last_owner_kept', ...event }, meta);
  }
}

function changeOf(user: User, { role, groups, name }: ProvidedPerson): UserChange {
  const wanted = groups(user.groups);
  const sameGroups = JSON.stringify(wanted) === JSON.stringify(user.groups);
  // Whoever made the account says what its person is called.
  const isRenamed = user.source === 'issuer' && name !== undefined && name !== user.name;
  return {
    ...(role !== undefined && role !== (user.role ?? null) && { role }),
    ...(!sameGroups && { groups: wanted }),
    ...(isRenamed && name.length <= 200 && { name }),
  };
}
