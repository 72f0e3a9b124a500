import { judgeResource } from '../config/index.ts';
import { OAuthError } from '../oauth/index.ts';
import {
  columnsOf,
  type DeclaredColumns,
  type DeclaredResource,
  ResourceConflictError,
  type ResourceRow,
  requireDistinct,
} from './reconcile-policy.ts';

/** A resource as an operator writes it: as in the configuration, with times in seconds. */
export interface WrittenResource {
  slug: string;
  uri: string;
  aliases?: readonly string[] | undefined;
  display_name?: string | undefined;
  scopes: readonly WrittenScope[];
  default_scopes?: readonly string[] | null | undefined;
  token_format?: 'jwt' | 'opaque' | undefined;
  token_prefix?: string | undefined;
  /** Seconds; null means `tokens.access_ttl`. */
  access_ttl?: number | null | undefined;
  dpop?: 'supported' | 'required' | undefined;
  workspace_scoped?: boolean | undefined;
  clients?: readonly string[] | undefined;
  access?: readonly WrittenRule[] | undefined;
  exchange?: WrittenExchange | Readonly<Record<string, unknown>> | null | undefined;
  claims?: Readonly<Record<string, unknown>> | undefined;
  claims_hook?: WrittenHook | null | undefined;
}

export interface WrittenScope {
  name: string;
  description?: string | undefined;
  implies?: readonly string[] | undefined;
}

export interface WrittenRule {
  users?: readonly string[] | undefined;
  groups?: readonly string[] | undefined;
  workspace_roles?: readonly string[] | undefined;
  scopes: readonly string[];
}

export interface WrittenExchange {
  clients?: readonly string[] | undefined;
  consent?: 'required' | 'operator' | undefined;
  impersonation?: readonly string[] | undefined;
}

export interface WrittenHook {
  url: string;
  /** The one before stays where it is left out. */
  secret?: string | undefined;
  /** Seconds. */
  timeout?: number | undefined;
  on_failure?: 'deny' | 'skip' | undefined;
}

/** What is left out stays. */
export type ResourceEdit = Partial<Omit<WrittenResource, 'slug' | 'uri'>>;

/** What an operator may do to a row beside looking at it. */
export type ResourceAction = 'edit' | 'switch' | 'remove';

/**
 * Judges a new resource as the configuration would be.
 *
 * @throws OAuthError invalid_request with what is wrong and what to do
 */
export function decideResource(written: WrittenResource): DeclaredColumns {
  const judged = judgeResource(inTheNamesOfTheFile(written));
  if (judged.ok) return columnsOf(judged.resource satisfies DeclaredResource);
  throw new OAuthError('invalid_request', judged.problems.slice(0, 3).join(' '));
}

/** What an edit makes of a resource, judged as a whole. @throws OAuthError invalid_request */
export function decideEdit(row: ResourceRow, edit: ResourceEdit): DeclaredColumns {
  const { claims_hook: hook, ...members } = edit;
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  const secret = hook?.secret ?? row.claims_hook?.secret;
  const claims_hook = hook === undefined ? row.claims_hook : hook && { ...hook, secret };
  return decideResource({ ...writtenOf(row), ...Object.fromEntries(given), claims_hook });
}

/**
 * Whether an operator may do that to a row: what the configuration declares is edited there, and what the
 * server itself is made of stays.
 *
 * @throws OAuthError invalid_request 409
 */
export function requireEditable(
  { slug, source }: Pick<ResourceRow, 'slug' | 'source'>,
  action: ResourceAction,
): void {
  if (source === 'builtin') {
    throw conflict(`${slug} is the API of this server itself and stays as it is.`);
  }
  if (source === 'config' && action === 'edit') {
    throw conflict(
      `The configuration declares ${slug}. Change it under resources in the configuration file and start the server again.`,
    );
  }
}

/** @throws OAuthError invalid_request 409 where two resources would be taken for each other */
export function requireUnlike(
  resources: readonly Pick<ResourceRow, 'uri' | 'slug' | 'aliases'>[],
): void {
  try {
    requireDistinct(resources);
  } catch (cause) {
    if (cause instanceof ResourceConflictError) throw conflict(`${cause.message}.`, cause);
    throw cause;
  }
}

function conflict(description: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_request', description, { status: 409, cause });
}

/** The stored row as it would be written. */
function writtenOf(row: ResourceRow): WrittenResource {
  return {
    ...row,
    access: row.access.map(({ roles = [], ...rule }) => ({ ...rule, workspace_roles: roles })),
  };
}

/** Null means that something is not set, which a file says by leaving it out; times have a unit there. */
function inTheNamesOfTheFile(written: WrittenResource): object {
  const { access_ttl, claims_hook: hook, exchange } = written;
  const names = [
    ...['slug', 'uri', 'aliases', 'display_name', 'scopes', 'default_scopes', 'token_format'],
    ...['token_prefix', 'dpop', 'workspace_scoped', 'clients', 'access', 'claims'],
  ];
  const members = {
    ...Object.fromEntries(Object.entries(written).filter(([name]) => names.includes(name))),
    access_ttl: typeof access_ttl === 'number' ? `${access_ttl}s` : undefined,
    exchange: exchange ?? undefined,
    claims_hook: hook
      ? { ...hook, timeout: hook.timeout === undefined ? undefined : `${hook.timeout}s` }
      : undefined,
  };
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  );
}
