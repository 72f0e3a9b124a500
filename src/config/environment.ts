import { type ConfigKey, isConfigVariable, type KeyKind, variableOf } from './keys.ts';
import { nearest } from './nearest.ts';
import type { Raw } from './path.ts';
import type { Problem } from './problem.ts';
import type { Environment } from './references.ts';
import { keyAliases } from './schema.ts';

/** One key that the environment sets. */
export interface Override {
  variable: string;
  key: ConfigKey;
  text: string;
}

/** The process's variables. The only place of the program that reads them. */
export function readEnvironment(): Environment {
  return process.env;
}

/**
 * Finds the keys that `AUTHPLANE_*` variables set. Unknown ones are problems; an empty one counts as not
 * set, because that is how compose files say so, and is a warning.
 */
export function readOverrides(
  env: Environment,
  keys: ReadonlyMap<string, ConfigKey>,
): { overrides: Override[]; problems: Problem[]; warnings: Problem[] } {
  const byVariable = new Map(
    [...keys.values()].flatMap((key) => (key.variable ? [[key.variable, key] as const] : [])),
  );
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !isConfigVariable(variable)) continue;
    const key = byVariable.get(variable);
    if (!key) problems.push(unknownVariable(variable, keys));
    else if (text === '' && key.kind !== 'list') warnings.push(emptyVariable(variable, key.name));
    else overrides.push({ variable, key, text });
  }
  problems.push(...twiceSet(overrides));
  return { overrides, problems, warnings };
}

/** Gives text from outside the type that its key has; what does not fit is left for the schema to refuse. */
export function coerce(text: string, kind: KeyKind | undefined): Raw {
  if (kind === 'number' && /^-?[0-9]{1,15}$/.test(text)) return Number(text);
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (kind !== 'list') return text;
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function unknownVariable(variable: string, keys: ReadonlyMap<string, ConfigKey>): Problem {
  const where = `env:${variable}`;
  const rows = [...keys.values()].find(
    ({ name, kind }) =>
      kind === 'rows' &&
      (variable === variableOf(name) || variable.startsWith(`${variableOf(name)}_`)),
  );
  if (rows) {
    return {
      where,
      key: rows.name,
      problem: 'cannot be set by the environment',
      fix: 'declare it in the configuration file',
    };
  }
  const known = [...keys.values()].flatMap((key) => key.variable ?? []);
  const meant = nearest(variable, known);
  const fix = meant ? `write ${meant}` : 'unset it; docs/configuration.md lists the variables';
  return { where, key: '', problem: 'is not a known variable', fix };
}

function emptyVariable(variable: string, key: string): Problem {
  return {
    where: `env:${variable}`,
    key,
    problem: 'is empty and was ignored',
    fix: 'unset it or give it a value',
  };
}

function twiceSet(overrides: readonly Override[]): Problem[] {
  return overrides.flatMap(({ variable, key }) => {
    const target = keyAliases[key.name];
    const other = overrides.find((override) => override.key.name === target);
    if (!target || !other) return [];
    return [
      {
        where: `env:${variable}`,
        key: key.name,
        problem: `is another name of ${target}, which ${other.variable} sets too`,
        fix: 'keep one of them',
      },
    ];
  });
}
