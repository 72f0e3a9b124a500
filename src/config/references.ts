import { resolve } from 'node:path';
import { childKey, genericKey, isRawMap, type Raw, type RawMap } from './path.ts';
import { readTextFile } from './text-file.ts';

/** Variables of the process, or a test's. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReferenceContext {
  env: Environment;
  /** Relative paths start here. */
  directory: string;
  /** Called with the key that has a broken reference; the reference's name is safe to print. */
  report: (key: string, problem: string, fix: string) => void;
  /** Gives text from outside the type its key has, `'5'` → `5`. */
  coerce: (text: string, genericKey: string) => Raw;
}

const largestSecretFile = 64 * 1024;
const reference = /\$\{(file|env):([^}]*)\}/g;

/**
 * Puts in the values of `${file:PATH}` and `${env:NAME}`. What they hold is not looked through again, so a
 * password may contain `${`. A broken reference is reported and its key left out.
 */
export function resolveReferences(root: RawMap, context: ReferenceContext): RawMap {
  return resolveMap(root, '', context);
}

function resolveMap(map: RawMap, parent: string, context: ReferenceContext): RawMap {
  const result: RawMap = {};
  for (const [name, value] of Object.entries(map)) {
    const resolved = resolveValue(value, childKey(parent, name), context);
    if (resolved !== undefined) result[name] = resolved;
  }
  return result;
}

function resolveValue(value: Raw, key: string, context: ReferenceContext): Raw | undefined {
  if (isRawMap(value)) return resolveMap(value, key, context);
  if (Array.isArray(value)) return resolveList(value, key, context);
  if (typeof value !== 'string' || !value.includes('${')) return value;
  const text = resolveText(value, key, context);
  return text === undefined ? undefined : context.coerce(text, genericKey(key));
}

// A broken item stays as null, so that the places of the others do not shift.
function resolveList(list: Raw[], key: string, context: ReferenceContext): Raw[] {
  return list.map((item, index) => resolveValue(item, childKey(key, index), context) ?? null);
}

/** @returns undefined when a reference is broken; it has been reported */
export function resolveText(
  text: string,
  key: string,
  context: Pick<ReferenceContext, 'env' | 'directory' | 'report'>,
): string | undefined {
  if (text.replaceAll(reference, '').includes('${')) {
    context.report(key, 'holds a "${" that is no reference', `write \${file:PATH} or \${env:NAME}`);
    return undefined;
  }
  let broken = false;
  const resolved = text.replaceAll(reference, (_, kind: string, name: string) => {
    const found =
      kind === 'env' ? fromEnvironment(name, key, context) : fromFile(name, key, context);
    if (found === undefined) broken = true;
    return found ?? '';
  });
  return broken ? undefined : resolved;
}

function fromEnvironment(
  name: string,
  key: string,
  { env, report }: Pick<ReferenceContext, 'env' | 'report'>,
): string | undefined {
  const value = env[name];
  if (value === undefined) {
    report(key, `needs the environment variable ${name}, which is not set`, `set ${name}`);
  }
  return value;
}

function fromFile(
  name: string,
  key: string,
  { directory, report }: Pick<ReferenceContext, 'directory' | 'report'>,
): string | undefined {
  const file = readTextFile(resolve(directory, name), largestSecretFile);
  if (file.ok) return file.text.replace(/\r?\n$/, '');
  report(
    key,
    `needs the file ${name}, which ${file.problem}`,
    `${file.fix}: ${resolve(directory, name)}`,
  );
  return undefined;
}
