import { FileProblem, shown } from './problem.ts';

const maxPath = 1024;
const maxName = 255;
/** Most parts of a path, and so the depth of a home directory. */
export const maxDepth = 64;

// Control characters, and those that turn the direction of the text so that a name reads as another one.
const invisible = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u;
const temporary = /^\.workspace-[0-9a-f]{32}\.part$/;

/** The name of a file that is being written; nobody can address it. */
export const temporaryName = (random: string) => `.workspace-${random}.part`;

/** Whether a name, in any case, is one of a file that is being written. */
export const isTemporaryName = (name: string) => temporary.test(name.toLowerCase());

/**
 * The parts of a path that is relative to the home directory, in Unicode's composed form (NFC). Says nothing about what
 * is on the disk.
 * @throws FileProblem when the path is absolute, leaves the home directory or could be read in two ways
 */
export function parsePath(path: string): string[] {
  refuse(path === '' || path === '.', path, 'names the home directory; name something in it');
  refuse(!path.isWellFormed(), path, 'is not valid Unicode');
  const composed = path.normalize('NFC');
  refuse(Buffer.byteLength(composed) > maxPath, path, `is longer than ${maxPath} bytes`);
  refuse(invisible.test(composed), path, 'holds characters that cannot be seen');
  refuse(composed.includes('\\'), path, 'holds a backslash; separate directories by /');
  refuse(composed.startsWith('/'), path, 'is absolute; paths are relative to the home directory');
  const parts = composed.replace(/\/$/, '').split('/');
  refuse(parts.length > maxDepth, path, `has more than ${maxDepth} parts`);
  for (const part of parts) checkName(part, path);
  return parts;
}

/** The same for a path where '' and '.' stand for the home directory itself. */
export const parseDirectoryPath = (path: string): string[] =>
  path === '' || path === '.' ? [] : parsePath(path);

/** A path as it is told to the caller. */
export const joinPath = (parts: readonly string[]): string => parts.join('/');

function checkName(name: string, path: string): void {
  refuse(name === '', path, 'has an empty part');
  // Look-alikes of dots and separators (U+2025, U+FF0F …) are refused with them: other systems fold them.
  const folded = name.normalize('NFKC').trim();
  refuse(folded === '.' || folded === '..', path, 'may not hold the parts . and ..');
  refuse(/[/\\]/.test(folded), path, 'holds a character that looks like a separator');
  refuse(folded === '', path, 'has a part of spaces only');
  refuse(Buffer.byteLength(name) > maxName, path, `has a name longer than ${maxName} bytes`);
  refuse(isTemporaryName(name), path, 'has a name that this server keeps for itself');
}

function refuse(wrong: boolean, path: string, why: string): void {
  if (wrong)
    throw new FileProblem(`The path ${shown(path).replace('The home directory', '""')} ${why}`);
}
