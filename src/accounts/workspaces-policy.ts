import { OAuthError } from '../oauth/index.ts';
import { checkName, isStorable } from './policy.ts';

export type WorkspaceRole = 'member' | 'admin';
export type WorkspaceSource = 'config' | 'admin' | 'cli';

/** What several people share; tokens of workspace-scoped resources are granted for one. */
export interface Workspace {
  /** A UUID: `workspace_id` of tokens. */
  id: string;
  slug: string;
  name: string;
  /** Who made it; what the configuration made, it also changes. */
  source: WorkspaceSource;
  createdAt: Date;
  updatedAt: Date;
}

/** A workspace as one of its members has it. */
export interface Membership {
  id: string;
  slug: string;
  name: string;
  role: WorkspaceRole;
}

/** A person in a workspace. */
export interface Member {
  workspaceId: string;
  userId: string;
  email: string;
  name?: string;
  role: WorkspaceRole;
  source: WorkspaceSource;
  createdAt: Date;
}

/** What a form or an API call has to correct. */
export type RefusedWorkspaceField = 'slug' | 'name' | 'workspace' | 'member';

/** A change to a workspace that is refused, with the field to correct and a sentence to show beside it. */
export class WorkspaceRefusal extends OAuthError {
  readonly field: RefusedWorkspaceField;

  constructor(field: RefusedWorkspaceField, sentence: string, status: 400 | 404 | 409 = 400) {
    super('invalid_request', sentence, { status, detail: { field } });
    this.field = field;
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a name can only be the id of a workspace. */
export function isWorkspaceId(text: string): boolean {
  return uuid.test(text);
}

/**
 * A short name as it is kept. Attack: a slug that reads like the id of somebody else's workspace.
 *
 * @throws WorkspaceRefusal
 */
export function checkSlug(slug: string): string {
  const shaped = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/.test(slug);
  if (shaped && !isWorkspaceId(slug)) return slug;
  throw new WorkspaceRefusal(
    'slug',
    'The slug needs 1 to 64 lower-case letters, digits and inner hyphens, and must not look like an id.',
  );
}

/** The name that people see. @throws WorkspaceRefusal */
export function checkWorkspaceName(name: string): string {
  const checked = isStorable(name) ? checkName(name) : undefined;
  if (checked?.ok && checked.value !== undefined) return checked.value;
  throw new WorkspaceRefusal(
    'name',
    'The name needs 1 to 200 characters, none of them a control character.',
  );
}

export function unknownWorkspace(): WorkspaceRefusal {
  return new WorkspaceRefusal('workspace', 'There is no such workspace.', 404);
}

export function notAMember(): WorkspaceRefusal {
  return new WorkspaceRefusal('member', 'This person is no member of the workspace.', 404);
}
