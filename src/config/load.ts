import { dirname, resolve } from 'node:path';
import { digestOf, largestConfigFile } from './config-file.ts';
import { coerce, type Override, readOverrides } from './environment.ts';
import { type ConfigKey, configKeys, keysByName } from './keys.ts';
import {
  childKey,
  formatPath,
  isRawMap,
  parentKey,
  type Raw,
  type RawMap,
  rawAt,
  removeRaw,
  setRaw,
} from './path.ts';
import { ConfigError, type Problem } from './problem.ts';
import { type Environment, resolveReferences, resolveText } from './references.ts';
import type { RuleFinding } from './rule.ts';
import { applyRules, rules, warningRules } from './rules.ts';
import { parseAll, type Salvage } from './salvage.ts';
import { type Config, keyAliases } from './schema.ts';
import { readTextFile } from './text-file.ts';
import { readYaml } from './yaml-source.ts';

export interface LoadOptions {
  /** A YAML file; without one the defaults and the environment decide. */
  file?: string;
  env: Environment;
  /** Relative paths start here. */
  cwd: string;
}

export interface LoadedConfig {
  /** Frozen all the way down. */
  config: Config;
  /** Where each value comes from, by `clients[0].client_id`: `default`, `FILE:LINE` or `env:NAME`. */
  sources: ReadonlyMap<string, string>;
  /** What works but was probably not meant. */
  warnings: readonly Problem[];
  /** The file that was read, with a fingerprint of what it said. */
  file?: { path: string; digest: string };
}

/** What one load gathers on its way. */
interface Loading {
  options: LoadOptions;
  keys: ReadonlyMap<string, ConfigKey>;
  root: RawMap;
  /** Where keys were given, `FILE:LINE` or `env:NAME`. */
  places: Map<string, string>;
  problems: Problem[];
  warnings: Problem[];
  file?: { path: string; digest: string };
}

/**
 * Loads the configuration: defaults, below the file, below the environment.
 *
 * @throws ConfigError with every problem at once
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const loading: Loading = {
    options,
    keys: keysByName(configKeys()),
    root: {},
    places: new Map(),
    problems: [],
    warnings: [],
  };
  const readable = readFileLayer(loading);
  readEnvironmentLayer(loading);
  const config = readable ? judge(loading) : undefined;
  if (!config || loading.problems.length > 0) throw new ConfigError(inOrder(loading.problems));
  return {
    config: deepFreeze(config),
    sources: sourcesOf(config, loading.places),
    warnings: inOrder(loading.warnings),
    ...(loading.file && { file: loading.file }),
  };
}

/** @returns false when the file cannot be trusted, so that judging what was read would mislead */
function readFileLayer(loading: Loading): boolean {
  const { file, env, cwd } = loading.options;
  if (file === undefined) return true;
  const path = resolve(cwd, file);
  const read = readTextFile(path, largestConfigFile);
  if (!read.ok) {
    loading.problems.push({ where: file, key: '', problem: read.problem, fix: read.fix });
    return false;
  }
  loading.file = { path, digest: digestOf(read.text) };
  const yaml = readYaml(file, read.text);
  loading.problems.push(...yaml.problems);
  for (const [key, line] of yaml.lines) loading.places.set(key, `${file}:${line}`);
  loading.root = resolveReferences(yaml.root, {
    env,
    directory: dirname(path),
    report: (key, problem, fix) => report(loading, key, problem, fix),
    coerce: (text, key) => coerce(text, loading.keys.get(key)?.kind),
  });
  dropEmptySections(loading);
  renameAliases(loading);
  return !yaml.problems.some(({ key }) => key === '');
}

// A section or list whose keys are all commented out is a section without keys.
function dropEmptySections({ root, keys }: Loading): void {
  for (const { name, kind } of keys.values()) {
    const path = name.split('.');
    if ((kind === 'section' || kind === 'rows') && rawAt(root, path) === null)
      removeRaw(root, path);
  }
}

function renameAliases(loading: Loading): void {
  for (const [alias, name] of Object.entries(keyAliases)) {
    const value = rawAt(loading.root, alias.split('.'));
    if (value === undefined) continue;
    removeRaw(loading.root, alias.split('.'));
    if (rawAt(loading.root, name.split('.')) !== undefined) {
      report(loading, alias, `is another name of ${name}, which is given too`, 'keep one of them');
      continue;
    }
    setRaw(loading.root, name.split('.'), value);
    loading.places.set(name, placeOf(loading, alias));
  }
}

function readEnvironmentLayer(loading: Loading): void {
  const { overrides, problems, warnings } = readOverrides(loading.options.env, loading.keys);
  loading.problems.push(...problems);
  loading.warnings.push(...warnings);
  for (const override of overrides) applyOverride(loading, override);
}

function applyOverride(loading: Loading, { variable, key, text }: Override): void {
  const name = keyAliases[key.name] ?? key.name;
  loading.places.set(name, `env:${variable}`);
  const resolved = resolveText(text, name, {
    env: loading.options.env,
    directory: loading.options.cwd,
    report: (at, problem, fix) => report(loading, at, problem, fix),
  });
  if (resolved !== undefined) setRaw(loading.root, name.split('.'), coerce(resolved, key.kind));
}

function judge(loading: Loading): Config | undefined {
  const reported = new Set(loading.problems.map(({ key }) => key));
  const add = (findings: readonly RuleFinding[]) => {
    for (const { path, problem, fix, because } of findings) {
      const key = formatPath(path);
      if (!reported.has(key)) report(loading, key, problem, fix, because);
    }
  };
  const broken = [...reported].filter((key) => key !== '');
  const { findings, salvage } = parseAll(loading.root, loading.keys, broken);
  add(findings);
  if (!salvage) return undefined;
  add(applyRules(rules, salvage));
  if (loading.problems.length === 0) addWarnings(loading, salvage);
  return salvage.config;
}

function addWarnings(loading: Loading, salvage: Salvage): void {
  for (const { path, problem, fix, because } of applyRules(warningRules, salvage)) {
    const key = formatPath(path);
    loading.warnings.push({ where: placeOf(loading, key, because), key, problem, fix });
  }
}

function report(
  loading: Loading,
  key: string,
  problem: string,
  fix: string,
  because?: string,
): void {
  loading.problems.push({ where: placeOf(loading, key, because), key, problem, fix });
}

/** Where the key is given; else the reason for the problem, the nearest section, or the file. */
function placeOf({ places, options }: Loading, key: string, because?: string): string {
  const own = places.get(key);
  if (own) return own;
  const reason = because === undefined ? undefined : places.get(because);
  if (reason) return reason;
  for (let parent = parentKey(key); parent !== ''; parent = parentKey(parent)) {
    const place = places.get(parent);
    if (place) return place;
  }
  return options.file ?? 'configuration';
}

function inOrder(problems: readonly Problem[]): Problem[] {
  const line = ({ where }: Problem) => Number(/:([0-9]+)$/.exec(where)?.[1] ?? 0);
  return problems.toSorted((a, b) => line(a) - line(b));
}

function sourcesOf(config: Config, places: ReadonlyMap<string, string>): Map<string, string> {
  const sources = new Map<string, string>();
  const visit = (value: unknown, key: string): void => {
    if (value === undefined) return;
    const children =
      isList(value) && value.some(isRawMap)
        ? [...value.entries()]
        : isRawMap(value)
          ? Object.entries(value)
          : undefined;
    if (children && children.length > 0) {
      for (const [step, child] of children) visit(child, childKey(key, step));
    } else {
      sources.set(key, places.get(key) ?? 'default');
    }
  };
  visit(config, '');
  return sources;
}

function isList(value: unknown): value is Raw[] {
  return Array.isArray(value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
