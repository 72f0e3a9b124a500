import type { Membership } from '../accounts/index.ts';
import { parseDuration } from '../config/index.ts';
import { parseScope } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';
import type { Rooms } from '../rooms.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { findWorkspace } from './workspace-lookup.ts';

/** @throws CommandFailure where no enabled resource is called so */
export function findResource({ resources }: Pick<Rooms, 'resources'>, which: string): Resource {
  const found = resources.bySlug(which) ?? resources.resolve(which);
  if (found) return found;
  throw new CommandFailure(
    `there is no enabled resource ${which}. authserver resource list shows all of them`,
  );
}

/**
 * What a person is in the workspace that was named, if one was.
 *
 * @throws CommandFailure where they are no member of it
 */
export async function membershipFor(
  { workspaces }: Pick<Rooms, 'workspaces'>,
  userId: string | undefined,
  { workspace: which }: { workspace?: string },
): Promise<Membership | undefined> {
  if (which === undefined) return undefined;
  const { id: workspaceId } = await findWorkspace({ workspaces }, which);
  const found = userId && (await workspaces.membership({ userId, workspaceId }));
  if (found) return found;
  throw new CommandFailure(
    `nobody is named with --user who is a member of ${which}. authserver workspace members ${which} shows who is`,
  );
}

/** Seconds. */
export function durationOption(text: string): number {
  const seconds = parseDuration(text);
  if (!seconds) throw wrongCall(`${text} is not a duration: write it such as 15m, 12h or 30d`);
  return seconds;
}

export function scopeOption(text: string): string[] {
  return parseScope(text);
}
