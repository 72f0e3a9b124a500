import { formatDuration, parseDuration } from './duration.ts';
import { type ConfigKey, configKeys, keysByName } from './keys.ts';
import type { LoadedConfig } from './load.ts';
import { childKey, genericKey, isRawMap, type Raw } from './path.ts';
import { maskedConfig } from './render.ts';

/** One value of the configuration in effect, as it may be shown. */
export interface Setting {
  /** `clients[0].client_id` */
  readonly name: string;
  /** As the file would say it; a secret is masked. */
  readonly value: Raw;
  readonly secret: boolean;
  readonly source: 'default' | 'file' | 'environment';
  /** `FILE:LINE` or the name of the variable; undefined for a default. */
  readonly where: string | undefined;
  readonly default: Raw;
  readonly description: string;
}

/**
 * Every value of the configuration in effect with where it comes from, in the order of the reference. Does
 * NOT hold a secret: those are masked.
 */
export function describeSettings(loaded: Pick<LoadedConfig, 'config' | 'sources'>): Setting[] {
  const keys = keysByName(configKeys());
  const order = [...keys.keys()];
  const places = new Map([...loaded.sources].map(([name, source]) => [name, placeOf(source)]));
  return leavesOf(maskedConfig(loaded.config), '', keys)
    .map(({ name, value }) => {
      const key = keys.get(genericKey(name));
      return {
        name,
        value,
        secret: key?.secret ?? false,
        ...(places.get(name) ?? placeOf('default')),
        default: defaultOf(key),
        description: key?.description ?? '',
      };
    })
    .toSorted((a, b) => order.indexOf(genericKey(a.name)) - order.indexOf(genericKey(b.name)));
}

function placeOf(source: string): Pick<Setting, 'source' | 'where'> {
  if (source === 'default') return { source: 'default', where: undefined };
  if (!source.startsWith('env:')) return { source: 'file', where: source };
  return { source: 'environment', where: source.slice('env:'.length) };
}

interface Leaf {
  name: string;
  value: Raw;
}

/** As deep as the schema has names; what is free-form below is one value. */
function leavesOf(value: unknown, name: string, keys: ReadonlyMap<string, ConfigKey>): Leaf[] {
  const kind = keys.get(genericKey(name))?.kind;
  const inside = name === '' || kind === 'section' || kind === 'rows' || /\]$/.test(name);
  if (Array.isArray(value) && kind === 'rows' && value.length > 0) {
    return value.flatMap((item, index) => leavesOf(item, childKey(name, index), keys));
  }
  if (isRawMap(value) && inside) {
    return Object.entries(value).flatMap(([step, child]) =>
      leavesOf(child, childKey(name, step), keys),
    );
  }
  return [{ name, value: isRaw(value) ? value : null }];
}

function isRaw(value: unknown): value is Raw {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'bigint';
}

function defaultOf(key: ConfigKey | undefined): Raw {
  if (key?.kind === 'duration' && typeof key.default === 'string') {
    const seconds = parseDuration(key.default);
    return seconds === undefined ? key.default : formatDuration(seconds); // spelled like the value
  }
  return isRaw(key?.default) ? key.default : null;
}
