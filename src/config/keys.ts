import { z } from 'zod';
import { durationPattern } from './duration.ts';
import { configSchema, keyAliases } from './schema.ts';

export type KeyKind =
  | 'string'
  | 'number'
  | 'boolean'
  | 'duration'
  | 'list'
  | 'object' // free-form, such as a JWK set
  | 'section'
  | 'rows'; // a list of mappings

/** What the schema says of one key. */
export interface ConfigKey {
  /** `tokens.access_ttl`, `resources[].scopes[].name` */
  name: string;
  kind: KeyKind;
  description: string;
  /** Must be masked wherever it is shown. */
  secret: boolean;
  required: boolean;
  default?: unknown;
  values?: string[];
  /** The variable that overrides it; rows and what is in them are for the file alone. */
  variable?: string;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

const prefix = 'AUTHPLANE_';

/** Every key in the order of the schema, sections and rows included. */
export function configKeys(): ConfigKey[] {
  return keysOf(jsonSchema(), '');
}

/** The schema as JSON Schema (draft 7, which editors know), without the old names of keys. */
export function jsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' });
}

/** `storage.postgres.dsn` → `AUTHPLANE_STORAGE_POSTGRES_DSN` */
export function variableOf(key: string): string {
  return prefix + key.replaceAll('.', '_').toUpperCase();
}

export function isConfigVariable(name: string): boolean {
  return name.startsWith(prefix);
}

/** Keys by name, old names included. */
export function keysByName(keys: readonly ConfigKey[]): Map<string, ConfigKey> {
  const byName = new Map(keys.map((key) => [key.name, key]));
  for (const [alias, name] of Object.entries(keyAliases)) {
    const key = byName.get(name);
    if (key) byName.set(alias, { ...key, name: alias, variable: variableOf(alias) });
  }
  return byName;
}

function keysOf(schema: JsonSchema, parent: string): ConfigKey[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([property, child]) => {
    if (typeof child === 'boolean') return [];
    const name = parent === '' ? property : `${parent}.${property}`;
    return [describeKey(child, name, required.has(property)), ...childrenOf(child, name)];
  });
}

function childrenOf(schema: JsonSchema, name: string): ConfigKey[] {
  const kind = kindOf(schema);
  if (kind === 'section') return keysOf(schema, name);
  if (kind === 'rows' && isSchema(schema.items)) return keysOf(schema.items, `${name}[]`);
  return [];
}

function describeKey(schema: JsonSchema, name: string, required: boolean): ConfigKey {
  const kind = kindOf(schema);
  const values = schema.enum ?? (isSchema(schema.items) ? schema.items.enum : undefined);
  const single = !name.includes('[]') && kind !== 'section' && kind !== 'rows';
  return {
    name,
    kind,
    description: schema.description ?? '',
    secret: schema.writeOnly === true,
    required,
    ...(schema.default !== undefined && kind !== 'section' && { default: schema.default }),
    ...(values && { values: values.map(String) }),
    ...(single && { variable: variableOf(name) }),
  };
}

function kindOf(schema: JsonSchema): KeyKind {
  if (schema.type === 'object') return schema.additionalProperties === false ? 'section' : 'object';
  if (schema.type === 'array')
    return isSchema(schema.items) && schema.items.properties ? 'rows' : 'list';
  if (schema.type === 'boolean') return 'boolean';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  return schema.pattern === durationPattern.source ? 'duration' : 'string';
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
