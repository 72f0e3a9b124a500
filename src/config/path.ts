/** Names and list positions from the top of the configuration. */
export type Path = readonly (string | number)[];

/** What YAML and the environment can say, before the schema has judged it. */
export type Raw = string | number | boolean | null | Raw[] | RawMap;
export interface RawMap {
  [name: string]: Raw;
}

/** `['clients', 0, 'client_id']` → `clients[0].client_id` */
export function formatPath(path: Path): string {
  return path.reduce<string>((key, step) => childKey(key, step), '');
}

export function childKey(key: string, step: string | number): string {
  if (typeof step === 'number') return `${key}[${step}]`;
  return key === '' ? step : `${key}.${step}`;
}

/** `clients[0].jwks` → `clients[0]` → `clients` → the empty string. */
export function parentKey(key: string): string {
  return key.replace(/(?:^|\.)[^.[\]]+$|\[[0-9]+\]$/, '');
}

/** `clients[0].client_id` → `clients[].client_id`, the name in the reference. */
export function genericKey(key: string): string {
  return key.replaceAll(/\[[0-9]+\]/g, '[]');
}

export function isRawMap(value: unknown): value is RawMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path, or undefined. */
export function rawAt(root: Raw, path: Path): Raw | undefined {
  let value: Raw | undefined = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isRawMap(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

/** Sets a value, making mappings on the way; leaves the tree alone where something else is in the way. */
export function setRaw(root: RawMap, path: readonly string[], value: Raw): void {
  let map = root;
  for (const step of path.slice(0, -1)) {
    const next = Object.hasOwn(map, step) ? map[step] : undefined;
    if (next !== undefined && !isRawMap(next)) return;
    const child = next ?? {};
    map[step] = child;
    map = child;
  }
  const last = path.at(-1);
  if (last !== undefined) map[last] = value;
}

/** Removes what is at a path; an item of a list is cut out. */
export function removeRaw(root: RawMap, path: Path): void {
  const parent = rawAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isRawMap(parent) && last !== undefined) delete parent[last];
}
