import type { Workspace } from '../accounts/index.ts';
import type { Rooms } from '../rooms.ts';
import { CommandFailure } from './failure.ts';

/** By slug or id. @throws CommandFailure */
export async function findWorkspace(
  { workspaces }: Pick<Rooms, 'workspaces'>,
  which: string,
): Promise<Workspace> {
  const found = await workspaces.find(which);
  if (found) return found;
  throw new CommandFailure(
    `there is no workspace ${which}. authserver workspace list shows all of them`,
  );
}
