import type { z } from 'zod';
import { workspaces } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { ifThere } from './administration.ts';
import { CommandFailure } from './failure.ts';

export type Workspace = z.output<typeof workspaces.get.answer>;

/** By slug or id. @throws CommandFailure */
export async function findWorkspace(admin: AdminClient, which: string): Promise<Workspace> {
  const found =
    (await ifThere(admin.call(workspaces.get, { params: { id: which } }))) ??
    (await bySlug(admin, which));
  if (found) return found;
  throw new CommandFailure(
    `there is no workspace ${which}. authserver workspace list shows all of them`,
  );
}

async function bySlug(admin: AdminClient, slug: string): Promise<Workspace | undefined> {
  if (slug === '' || slug.length > 200) return undefined;
  for await (const one of admin.each(workspaces.list, { q: slug })) {
    if (one.slug === slug) return one;
  }
  return undefined;
}
