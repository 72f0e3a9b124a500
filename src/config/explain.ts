import type { z } from 'zod';
import type { ConfigKey } from './keys.ts';
import { nearest } from './nearest.ts';
import {
  childKey,
  formatPath,
  genericKey,
  type Path,
  type Raw,
  type RawMap,
  rawAt,
} from './path.ts';
import { quote } from './values.ts';

/** A problem before it is known where the key was given. */
export interface Finding {
  path: Path;
  problem: string;
  fix: string;
}

type Issue = z.core.$ZodIssue;

/** Says what the schema refused in words, never with the value of a secret. */
export function explain(
  issue: Issue,
  root: RawMap,
  keys: ReadonlyMap<string, ConfigKey>,
): Finding[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => unknownKey([...path, name], keys));
  }
  const key =
    keys.get(genericKey(formatPath(path))) ?? keys.get(genericKey(formatPath(path.slice(0, -1))));
  const value = rawAt(root, path);
  return [{ path, ...explainValue(issue, value, key) }];
}

function unknownKey(path: Path, keys: ReadonlyMap<string, ConfigKey>): Finding {
  const parent = genericKey(formatPath(path.slice(0, -1)));
  const siblings = [...keys.keys()].filter((name) => name === childKey(parent, lastName(name)));
  const word = String(path.at(-1));
  const sibling = nearest(word, siblings.map(lastName));
  const elsewhere = [...keys.keys()].find(
    (name) => lastName(name) === word && !name.includes('[]'),
  );
  let fix = `remove it; known here: ${siblings.map(lastName).join(', ')}`;
  if (sibling) fix = `write ${sibling}`;
  else if (elsewhere) fix = `write it as ${elsewhere}`;
  return { path, problem: 'is not a known key', fix };
}

function lastName(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

function explainValue(issue: Issue, value: Raw | undefined, key: ConfigKey | undefined) {
  const shown = key?.secret || value === undefined ? undefined : quote(value);
  const said = shown && value !== null && typeof value !== 'object' ? `${shown} ` : '';
  if (value === undefined) return { problem: 'is missing', fix: howToWrite(issue, key) };
  if (value === null) return { problem: 'has no value', fix: 'give it a value or remove the line' };
  if (key?.kind === 'duration' && issue.code !== 'custom') {
    return { problem: `${said}is not a duration`, fix: durationFix(value) };
  }
  switch (issue.code) {
    case 'custom':
      return { problem: `${said}${issue.message}`, fix: String(issue.params?.fix ?? 'correct it') };
    case 'invalid_type':
      return {
        problem: `${said}is not ${articled(issue.expected)}`,
        fix: typeFix(issue, value, key),
      };
    case 'invalid_value':
      return {
        problem: `${said}is not one of the choices`,
        fix: choiceFix(value, issue.values.map(String)),
      };
    case 'too_small':
    case 'too_big':
      return { problem: `${said}is too ${extreme(issue)}`, fix: limitFix(issue) };
    default:
      return { problem: `${said}is not understood`, fix: howToWrite(issue, key) };
  }
}

function durationFix(value: Raw): string {
  const bare = String(value);
  if (/^[0-9]+$/.test(bare))
    return `add a unit: ${bare}s is seconds, ${bare}m minutes, ${bare}h hours, ${bare}d days`;
  return 'write a number and a unit (s, m, h, d), such as 15m';
}

function typeFix(issue: Issue, value: Raw, key: ConfigKey | undefined): string {
  if ('expected' in issue && issue.expected === 'string' && typeof value !== 'object') {
    return 'put the value in quotes';
  }
  return howToWrite(issue, key);
}

function howToWrite(issue: Issue, key: ConfigKey | undefined): string {
  const kind = key?.kind;
  if (key?.values && kind !== 'list') return `write one of ${key.values.join(', ')}`;
  if (kind === 'duration') return 'write a number and a unit (s, m, h, d), such as 15m';
  if (kind === 'boolean') return 'write true or false';
  if (kind === 'number') return 'write a whole number';
  if (kind === 'section') return 'write its keys indented below it';
  if (kind === 'rows') return 'write a list: one "- " for each row, with its keys';
  if (kind === 'list') {
    return issue.code === 'invalid_union'
      ? 'write a slug, or {slug: …, role: member}'
      : 'write a list such as [one, two]';
  }
  return key?.description ? `write it: ${key.description}` : 'write it';
}

function articled(expected: string): string {
  const words: Record<string, string> = {
    string: 'text',
    int: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a mapping',
  };
  return words[expected] ?? expected;
}

function choiceFix(value: Raw, choices: string[]): string {
  const meant = typeof value === 'string' ? nearest(value, choices) : undefined;
  return meant ? `write ${meant}` : `write one of ${choices.join(', ')}`;
}

function extreme(issue: Issue & { code: 'too_small' | 'too_big' }): string {
  const small = issue.code === 'too_small';
  if (issue.origin === 'string' || issue.origin === 'array') return small ? 'short' : 'long';
  return small ? 'small' : 'large';
}

function limitFix(issue: Issue & { code: 'too_small' | 'too_big' }): string {
  const limit =
    issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  if (issue.origin === 'string') return `use ${limit} character${limit.endsWith(' 1') ? '' : 's'}`;
  if (issue.origin === 'array') return `list ${limit}`;
  return `write ${limit}`;
}
