import { Document, isMap, isScalar, isSeq } from 'yaml';
import { formatDuration } from './duration.ts';
import { type ConfigKey, configKeys, keysByName } from './keys.ts';
import type { LoadedConfig } from './load.ts';
import { childKey, genericKey, isRawMap } from './path.ts';
import type { Problem } from './problem.ts';
import type { Config } from './schema.ts';

const mask = '***';

/** One line for each problem: `FILE:LINE: KEY: PROBLEM. Fix: …`. */
export function renderProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ where, key, problem, fix }) => {
      const subject = key === '' ? where : `${where}: ${key}`;
      return `${subject}: ${problem}. Fix: ${fix}.`.replaceAll(/\p{Cc}+/gu, ' ');
    })
    .join('\n');
}

/** The configuration as the file would say it, durations with units and secrets masked. */
export function maskedConfig(config: Config): Record<string, unknown> {
  const keys = keysByName(configKeys());
  const masked = written(config, '', keys);
  return isRawMap(masked) ? masked : {};
}

/** The effective configuration as YAML; each value says where it comes from, secrets are masked. */
export function renderConfig({
  config,
  sources,
}: Pick<LoadedConfig, 'config' | 'sources'>): string {
  const document = new Document(maskedConfig(config));
  annotate(document.contents, '', sources);
  return document.toString({ lineWidth: 0 });
}

function written(value: unknown, key: string, keys: ReadonlyMap<string, ConfigKey>): unknown {
  const known = keys.get(genericKey(key));
  if (known?.secret && value !== undefined) return mask;
  if (known?.kind === 'duration' && typeof value === 'number') return formatDuration(value);
  if (Array.isArray(value))
    return value.map((item, index) => written(item, childKey(key, index), keys));
  if (typeof value === 'string') return withoutQuery(value);
  if (!isRawMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== undefined)
      .map(([name, child]) => [name, written(child, childKey(key, name), keys)]),
  );
}

/** Collectors and webhooks take their key in the query of their URL. */
function withoutQuery(value: string): string {
  return /^https?:[^?]*\?/i.test(value) ? value.replace(/\?.*$/s, `?${mask}`) : value;
}

function annotate(node: unknown, key: string, sources: ReadonlyMap<string, string>): void {
  if (isMap(node)) {
    for (const { key: name, value } of node.items)
      annotate(value, childKey(key, String(name)), sources);
  } else if (isSeq(node) && node.items.some(isMap)) {
    for (const [index, item] of node.items.entries()) annotate(item, childKey(key, index), sources);
  } else if (isSeq(node) || isScalar(node)) {
    if (isSeq(node)) node.flow = true;
    node.comment = ` ${sources.get(key) ?? 'default'}`;
  }
}
