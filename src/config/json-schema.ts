import { jsonSchema } from './keys.ts';
import { keyAliases } from './schema.ts';

type JsonSchema = ReturnType<typeof jsonSchema>;

const reference = '\\$\\{';

/** docs/config.schema.json: the schema of the file for editors, references and empty sections included. */
export function renderJsonSchema(): string {
  const { $schema, ...schema } = jsonSchema();
  const titled: JsonSchema = {
    $schema,
    title: 'authserver configuration',
    ...schema,
    properties: mapProperties(schema, forEditors),
  };
  for (const [alias, name] of Object.entries(keyAliases)) addAlias(titled, alias, name);
  return `${JSON.stringify(titled, null, 2)}\n`;
}

function forEditors(schema: JsonSchema): JsonSchema {
  if (schema.type === 'object') {
    const { default: _, ...section } = schema; // the defaults are on its keys
    // A section whose keys are all commented out is null to YAML.
    return { ...section, type: ['object', 'null'], properties: mapProperties(schema, forEditors) };
  }
  if (isRows(schema)) return { ...schema, type: ['array', 'null'] };
  if (schema.type === 'integer' || schema.type === 'boolean') {
    return { ...schema, type: [schema.type, 'string'], pattern: reference };
  }
  return schema.pattern ? { ...schema, pattern: `${schema.pattern}|${reference}` } : schema;
}

function isRows({ type, items }: JsonSchema): boolean {
  return type === 'array' && typeof items === 'object' && 'properties' in items;
}

function mapProperties(
  schema: JsonSchema,
  change: (schema: JsonSchema) => JsonSchema,
): NonNullable<JsonSchema['properties']> {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, child]) => [
      name,
      typeof child === 'boolean' ? child : change(child),
    ]),
  );
}

function addAlias(schema: JsonSchema, alias: string, name: string): void {
  const [section = '', property = ''] = alias.split('.');
  const parent = schema.properties?.[section];
  if (typeof parent !== 'object' || !parent.properties) return;
  const description = `Another name of ${name}.`;
  parent.properties[property] = { type: 'string', deprecated: true, description };
}
