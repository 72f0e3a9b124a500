/** Something that the caller can put right. The message is shown to the agent. */
export class FileProblem extends Error {
  override name = 'FileProblem';
}

const words: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'goes through something that is no directory, or through a link',
  EISDIR: 'is a directory',
  EEXIST: 'exists already',
  ENOTEMPTY: 'is a directory that is not empty',
  ELOOP: 'is a link; links are not followed',
  ENAMETOOLONG: 'is too long a name',
  EACCES: 'may not be used by this server',
  EPERM: 'may not be used by this server',
  ENXIO: 'is no ordinary file',
  ENOSPC: 'does not fit: the disk is full',
  EDQUOT: 'does not fit: the disk quota is used up',
  EINVAL: 'cannot be used this way; a directory cannot go into itself',
};

/** What the operating system refused, in words about the path as the caller wrote it; other errors stay as they are. */
export function explain(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const said = words[String(error.code)];
  return said ? new FileProblem(`${shown(path)} ${said}`, { cause: error }) : error;
}

/** Runs `work`; what the operating system refuses becomes a problem with `path`. */
export async function explained<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw explain(error, path);
  }
}

/** A path for a message: on one line and not too long. */
export const shown = (path: string): string =>
  path === '' ? 'The home directory' : JSON.stringify(path.slice(0, 200));

/** Whether the operating system gave this error code. */
export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));
