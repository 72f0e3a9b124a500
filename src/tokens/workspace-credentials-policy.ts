import type { WorkspaceRole } from '../accounts/index.ts';
import { plainText } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Resource, ScopeUser } from '../resources/index.ts';
import { refusedResource, standingScopes } from './personal-access-tokens-policy.ts';

/** Live credentials that one member may have in one workspace. */
export const mostCredentials = 100;
const longestLabel = 100;

/** A credential has no expiry of its own; its record, which needs one, has this. */
export const neverExpires = new Date('9999-12-31T23:59:59Z');

/** `default`: the one of the workspace, made by an admin. `connector`: of one client, made by a member. */
export type CredentialKind = 'default' | 'connector';

/** `grant_type` of the issuance: no token request buys it. */
export const credentialGrants = {
  default: 'default_workspace_credential',
  connector: 'workspace_credential',
} as const;

export function kindOfGrant(grantType: string): CredentialKind {
  return grantType === credentialGrants.default ? 'default' : 'connector';
}

/** @returns whether a record says that its token never expires by itself */
export function isEndless({ expires_at }: { expires_at: Date }): boolean {
  return expires_at.getTime() >= neverExpires.getTime();
}

/** What a form or an API call has to correct. */
export type RefusedCredentialField = 'resource' | 'workspace' | 'label' | 'account';

/** A workspace credential that cannot be made, with the field to correct and a sentence to show beside it. */
export class CredentialRefusal extends OAuthError {
  readonly field: RefusedCredentialField;

  constructor(field: RefusedCredentialField, sentence: string, status: 400 | 403 | 409 = 400) {
    super(codes[field], sentence, { status, detail: { field } });
    this.field = field;
  }
}

const codes = {
  resource: 'invalid_target',
  workspace: 'access_denied',
  label: 'invalid_request',
  account: 'access_denied',
} as const;

/** @returns the label as it is kept, without what cannot be shown @throws CredentialRefusal */
export function checkLabel(label: string): string {
  const kept = plainText(label);
  if (kept === '') throw new CredentialRefusal('label', 'Give the credential a name.');
  if (kept.length <= longestLabel) return kept;
  throw new CredentialRefusal('label', `Shorten the name to ${longestLabel} characters.`);
}

/**
 * Attack: a bearer credential where the operator demands proof of possession (RFC 9449).
 *
 * @throws CredentialRefusal where no workspace credential can be made for the resource
 */
export function checkCredentialResource(
  resource: Pick<Resource, 'uri' | 'dpop' | 'workspaceScoped'>,
): void {
  if (!resource.workspaceScoped) {
    throw new CredentialRefusal(
      'resource',
      `${resource.uri} knows no workspaces. Choose a resource that is scoped to them.`,
    );
  }
  if (refusedResource(resource) === undefined) return;
  throw new CredentialRefusal(
    'resource',
    `${resource.uri} takes only tokens that are bound to a key (DPoP), and a workspace credential is bound to none. Connect with an app that supports DPoP.`,
  );
}

/** The default one is the workspace's: its admins make it. @throws CredentialRefusal */
export function checkMaker(role: WorkspaceRole | undefined, kind: CredentialKind): void {
  if (role === undefined) {
    throw new CredentialRefusal(
      'workspace',
      'This account is a member of no such workspace. Choose another one.',
      403,
    );
  }
  if (kind === 'connector' || role === 'admin') return;
  throw new CredentialRefusal(
    'workspace',
    'Only admins of a workspace make its default credential. Ask one of them.',
    403,
  );
}

/**
 * What a credential may do now: everything at its resource that its member may do in the workspace, whatever has
 * changed since it was made. Nothing left means that it is good for nothing.
 */
export function credentialScopes(resource: Resource, member: ScopeUser): string[] {
  if (!resource.workspaceScoped) return [];
  return standingScopes(
    resource.scopes.map(({ name }) => name),
    resource,
    member,
  );
}
