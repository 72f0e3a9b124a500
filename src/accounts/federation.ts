import { randomBytes } from 'node:crypto';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import { type Database, hashId } from '../db/index.ts';
import type { GuardedRequest } from '../http/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { createFederatedSignIn } from './federated-sign-in.ts';
import { isSubject } from './federation-policy.ts';
import { type BeganAt, failureOf, ProviderSignInError } from './federation-problems.ts';
import type { Identities } from './identities.ts';
import type { IdentityProvider } from './identity-provider-row.ts';
import type { IdentityProviders } from './identity-providers.ts';
import { createProviderClient } from './provider-client.ts';
import { createProviderHandover } from './provider-handover.ts';
import {
  insertProviderSignIn,
  type PendingSignIn,
  takeProviderSignIn,
} from './provider-sign-ins.ts';
import { createProviderTest } from './provider-test.ts';
import type { User } from './user.ts';

/** Milliseconds that a person has at the provider (T15). */
const validFor = 10 * 60_000;

export interface FederationDeps {
  db: Database;
  box: SecretBox;
  now: () => Date;
  providers: Pick<IdentityProviders, 'find' | 'all'>;
  identities: Pick<Identities, 'find' | 'findOrCreate'>;
  /** The guarded way out. */
  request: GuardedRequest;
  /** Our own issuer, under which the callbacks lie. */
  issuer: string;
}

/** What a person wants to do once they are signed in. */
export interface Beginning {
  slug: string;
  /** Value of the browser's cookie: only this browser can come back. */
  browser: string;
  beganAt: BeganAt;
  /** Path to go on to. */
  returnTo?: string;
  /** Ask the person again, even where the provider still knows them. */
  again?: boolean;
}

/** An answer that fits to what was begun; nobody is signed in by it yet. */
export interface Returned {
  provider: IdentityProvider;
  beganAt: BeganAt;
  returnTo: string | undefined;
  /** Hash of the browser's cookie; checked by now unless the sign-in began at the admin listener. */
  browserHash: string;
  /** Signs the person in. @throws ProviderSignInError */
  redeem: (meta: AuditMeta) => Promise<User>;
}

export type Federation = ReturnType<typeof createFederation>;

/** Sign-in at identity providers: the browser goes out with {@link begin} and comes back to {@link accept}. */
export function createFederation(deps: FederationDeps) {
  const { db, box, now, providers } = deps;
  const client = createProviderClient({
    ...deps,
    find: providers.find,
    callbackOf: (slug) => callbackUrl(deps.issuer, slug),
  });
  const signIn = createFederatedSignIn(deps);
  const handover = createProviderHandover(deps);

  /** @throws ProviderSignInError */
  async function begin({ slug, browser, beganAt, returnTo, again = false }: Beginning) {
    const provider = providers.find(slug);
    if (!provider) throw new ProviderSignInError('gone', { provider: slug, beganAt });
    const [state, nonce, codeVerifier] = [newSecret(), newSecret(), newSecret()];
    const checks = { state, nonce, codeVerifier };
    const url = await client.authorizationUrl(provider, checks, { again }).catch((cause) => {
      throw new ProviderSignInError('unreachable', { provider: slug, beganAt, cause });
    });
    const at = now();
    await insertProviderSignIn(db.kysely, {
      state_hash: hashId(state),
      provider: slug,
      browser_hash: hashId(browser),
      nonce,
      verifier_sealed: box.seal(codeVerifier, contextOf(state)),
      purpose: beganAt.purpose,
      interaction_uid: beganAt.interactionUid,
      origin: beganAt.origin,
      return_to: returnTo && box.seal(returnTo, returnContextOf(state)),
      created_at: at,
      expires_at: new Date(at.getTime() + validFor),
    });
    return url;
  }

  /**
   * Takes the answer of a provider and holds it to what was begun: once, within ten minutes, in the same
   * browser, at the callback of the same provider.
   *
   * @param answer.query of the callback, as it came
   * @throws ProviderSignInError
   */
  async function accept(answer: {
    slug: string;
    state: string | undefined;
    query: string;
    browser: string | undefined;
  }): Promise<Returned> {
    const { slug, state, query, browser } = answer;
    const pending = state ? await takeProviderSignIn(db.kysely, hashId(state)) : undefined;
    if (!pending || state === undefined) throw new ProviderSignInError('state');
    const beganAt = beganAtOf(pending);
    const provider = check(pending, { slug, browser, beganAt });
    const { nonce, verifier_sealed: sealed } = pending;
    const checks = { state, nonce, codeVerifier: box.open(sealed, contextOf(state)) };
    return {
      ...{ provider, beganAt, browserHash: pending.browser_hash },
      returnTo: openReturn(pending.return_to, state),
      async redeem(meta) {
        const person = await client.redeem(provider, query, checks).catch((cause) => {
          throw new ProviderSignInError(failureOf(cause), { provider: slug, beganAt, cause });
        });
        if (!isSubject(person.subject)) {
          throw new ProviderSignInError('not_accepted', { provider: slug, beganAt });
        }
        return signIn({ provider, beganAt, ...person }, meta);
      },
    };
  }

  /** @param stored sealed; a path by itself was stored by the version before, within the last minutes */
  function openReturn(stored: string | null, state: string): string | undefined {
    if (stored === null || stored.startsWith('/')) return stored ?? undefined;
    return box.open(stored, returnContextOf(state));
  }

  function check(
    pending: PendingSignIn & { browser_hash: string },
    { slug, browser, beganAt }: { slug: string; browser: string | undefined; beganAt: BeganAt },
  ): IdentityProvider {
    const refuse = (failure: ConstructorParameters<typeof ProviderSignInError>[0]) =>
      new ProviderSignInError(failure, { provider: pending.provider, beganAt });
    // The administration's cookie is on another listener, which checks it when it takes the person over.
    const isHere = beganAt.purpose === 'admin' || hashId(browser ?? '') === pending.browser_hash;
    if (!isHere) throw refuse('browser');
    // COAT: a provider that we sign in at must not redeem the answer of another one there.
    if (pending.provider !== slug) throw refuse('swapped');
    if (pending.expires_at <= now()) throw refuse('expired');
    const provider = providers.find(slug);
    if (!provider) throw refuse('gone');
    return provider;
  }

  return {
    begin,
    accept,
    handover,
    /** Whether people could sign in at a provider, from what it says now. */
    test: createProviderTest(client),
    callbackOf: (slug: string): string => callbackUrl(deps.issuer, slug),
    /** Records a sign-in that failed after it had begun; what was never begun is in the log only. */
    async recordFailure({ failure, provider, userId }: ProviderSignInError, meta: AuditMeta) {
      if (provider === undefined || failure === 'gone') return;
      const actor = { kind: 'system' } as const;
      const detail = { reason: failure, method: 'identity_provider', provider };
      await recordAudit(db.kysely, { type: 'user_login_failed', actor, userId, detail }, meta);
    },
  };
}

/** The redirect URI to register at a provider. */
export function callbackUrl(issuer: string, slug: string): string {
  return `${issuer.replace(/\/$/, '')}/login/callback/${slug}`;
}

function beganAtOf({ purpose, interaction_uid, origin }: PendingSignIn): BeganAt {
  return {
    purpose,
    ...(interaction_uid !== null && { interactionUid: interaction_uid }),
    ...(origin !== null && { origin }),
  };
}

const contextOf = (state: string) => `provider_sign_in:${hashId(state)}`;
const returnContextOf = (state: string) => `${contextOf(state)}:return_to`;

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
