import { type Directory, inside, makeDirectory, type OpenDirectory } from './directory.ts';
import { FileProblem } from './problem.ts';

/** The home directory of one workspace. Every way in opens each directory on the path and refuses links. */
export type Home = {
  /** Gives the directory at `parts` to `use`; `create` makes the missing ones. */
  in<Value>(
    parts: readonly string[],
    use: (directory: Directory) => Promise<Value>,
    create?: boolean,
  ): Promise<Value>;
  /** Gives the directory that holds the last part, and that part's name. */
  at<Value>(
    parts: readonly string[],
    use: (directory: Directory, name: string) => Promise<Value>,
    create?: boolean,
  ): Promise<Value>;
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether this can be the id of a workspace, and so the name of its home directory. */
export const isWorkspaceId = (id: unknown): id is string => typeof id === 'string' && uuid.test(id);

/**
 * The home `<root>/<workspaceId>`, made at first use.
 * @param root real path of the directory that holds all homes
 */
export function openHome(root: string, workspaceId: string, openDirectory: OpenDirectory): Home {
  if (!isWorkspaceId(workspaceId)) throw new FileProblem('This is no workspace id');

  async function descend<Value>(
    directory: Directory,
    [next, ...rest]: readonly string[],
    use: (directory: Directory) => Promise<Value>,
    create: boolean,
  ): Promise<Value> {
    if (next === undefined) return use(directory);
    if (create) await makeDirectory(directory, next);
    return inside(openDirectory(directory.at(next)), (child) => descend(child, rest, use, create));
  }

  const home: Home = {
    in: (parts, use, create = false) =>
      inside(openDirectory(root), async (directory) => {
        await makeDirectory(directory, workspaceId);
        return descend(directory, [workspaceId, ...parts], use, create);
      }),
    at: (parts, use, create = false) => {
      const name = parts.at(-1);
      if (name === undefined) throw new FileProblem('Name something in the home directory');
      return home.in(parts.slice(0, -1), (directory) => use(directory, name), create);
    },
  };
  return home;
}
