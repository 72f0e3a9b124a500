import { resources } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { parseDuration } from '../config/index.ts';
import { canonicalResource, parseScope } from '../oauth/index.ts';
import { all } from './administration.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import type { Account } from './user-lookup.ts';
import { findWorkspace } from './workspace-lookup.ts';

/**
 * The URI of a resource that is called so.
 *
 * @throws CommandFailure where no enabled resource is
 */
export async function findResource(admin: AdminClient, which: string): Promise<string> {
  const enabled = await all(admin.each(resources.list, { enabled: 'true', limit: 200 }));
  const bySlug = enabled.find(({ slug }) => slug === which);
  const found = bySlug ?? enabled.find((one) => answersTo(one, which));
  if (found) return found.uri;
  throw new CommandFailure(
    `there is no enabled resource ${which}. authserver resource list shows all of them`,
  );
}

/** Whether a URI means this resource. */
export function answersTo(
  { uri, aliases }: { uri: string; aliases: readonly string[] },
  asked: string,
): boolean {
  const canonical = canonicalResource(asked);
  const names = [uri, ...aliases];
  return names.some((name) => name === asked || canonicalResource(name) === canonical);
}

/**
 * The id of the workspace that was named, if one was.
 *
 * @throws CommandFailure where the person is no member of it
 */
export async function membershipFor(
  admin: AdminClient,
  person: Pick<Account, 'workspaces'> | undefined,
  { workspace: which }: { workspace?: string },
): Promise<string | undefined> {
  if (which === undefined) return undefined;
  const { id } = await findWorkspace(admin, which);
  if (person?.workspaces.some((one) => one.id === id)) return id;
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
