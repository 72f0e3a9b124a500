import { explain, type Finding } from './explain.ts';
import type { ConfigKey } from './keys.ts';
import { formatPath, genericKey, type Path, type RawMap, rawAt, removeRaw } from './path.ts';
import { type Config, configSchema } from './schema.ts';

/** What can be judged further although parts were refused. */
export interface Salvage {
  config: Config;
  /** What was taken out: rules that read it must not speak. */
  removed: readonly Removed[];
  /** Where the rows that remain stood before others were taken out, by section. */
  rows: ReadonlyMap<string, readonly number[]>;
}

/** A key that was refused. */
export interface Removed {
  /** As in the reference, `clients[].jwks`. */
  key: string;
  /** Its row in the file, where it is in one. */
  row?: number;
}

const mostRounds = 4;

/**
 * Judges the raw configuration by the schema. Refused keys are taken out, then refused rows, so that the
 * rules between keys can still be checked and all problems are told at once.
 *
 * @param broken keys that were lost before, such as a secret whose file is missing
 */
export function parseAll(
  root: RawMap,
  keys: ReadonlyMap<string, ConfigKey>,
  broken: Iterable<string> = [],
): { findings: Finding[]; salvage?: Salvage } {
  const remaining = structuredClone(root);
  const removed = [...broken].map(removedKey);
  const rows = rowNumbers(remaining);
  let findings: Finding[] | undefined;
  for (let round = 0; round < mostRounds; round++) {
    const result = configSchema.safeParse(remaining);
    if (result.success)
      return { findings: findings ?? [], salvage: { config: result.data, removed, rows } };
    const refused = result.error.issues.flatMap((issue) => explain(issue, remaining, keys));
    findings ??= refused;
    for (const path of targets(refused, round)) take(remaining, path, removed, rows);
  }
  return { findings: findings ?? [] };
}

// First the keys alone, then the rows that cannot be without them, then the section. Later rows go first,
// so that the places of earlier ones stay.
function targets(refused: readonly Finding[], round: number): Path[] {
  const paths = refused.map(({ path }) => {
    const row = path.findIndex((step) => typeof step === 'number');
    if (round === 0) return keyPath(path);
    return round === 1 && row === 1 ? path.slice(0, 2) : path.slice(0, 1);
  });
  const unique = new Map(paths.map((path) => [formatPath(path), path]));
  return [...unique.values()].sort((a, b) => rowOf(b) - rowOf(a) || b.length - a.length);
}

function rowOf(path: Path): number {
  return typeof path[1] === 'number' ? path[1] : -1;
}

// An item of a scalar list is taken out with its list.
function keyPath(path: Path): Path {
  return typeof path.at(-1) === 'number' && path.length > 2 ? path.slice(0, -1) : path;
}

function take(root: RawMap, path: Path, removed: Removed[], rows: Map<string, number[]>): void {
  if (rawAt(root, path.slice(0, -1)) === undefined) return;
  removed.push(removedKey(formatPath(inFile(path, rows))));
  removeRaw(root, path);
  const [section, row] = path;
  if (path.length === 2 && typeof row === 'number') rows.get(String(section))?.splice(row, 1);
}

function removedKey(key: string): Removed {
  const row = /\[([0-9]+)\]/.exec(key)?.[1];
  return { key: genericKey(key), ...(row !== undefined && { row: Number(row) }) };
}

/** Where in the file the path is, as rows before it may have been taken out. */
export function inFile(path: Path, rows: Salvage['rows']): Path {
  const [section, row, ...rest] = path;
  if (typeof section !== 'string' || typeof row !== 'number') return path;
  return [section, rows.get(section)?.[row] ?? row, ...rest];
}

function rowNumbers(root: RawMap): Map<string, number[]> {
  return new Map(
    Object.entries(root).flatMap(([section, value]) =>
      Array.isArray(value) ? [[section, [...value.keys()]] as const] : [],
    ),
  );
}
