import { z } from 'zod';
import { type Route, routes, schemas } from './contract/index.ts';

type JsonObject = Record<string, z.core.util.JSONType>;

const base = '#/components/schemas/';
const readJson = z.record(z.string(), z.json());

/** The description of the admin API (OpenAPI 3.1), from the one table of routes. */
export function openApiDocument() {
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'authserver admin API',
      version: '1',
      description: 'What operators can see and do; docs/admin-api.md explains it.',
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: '`admin.api_key`' },
      },
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([id, schema]) => [id, definition(schema, 'output')]),
      ),
    },
  };
}

/** docs/openapi.json */
export function openApiReference(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}

function operation({ name, summary, permission, status, ...route }: Route): JsonObject {
  const takesBody = Object.keys(route.body.shape).length > 0;
  return {
    operationId: name,
    tags: name.split('.').slice(0, 1),
    summary,
    'x-permission': permission,
    parameters: [...parameters('path', route.params), ...parameters('query', route.query)],
    ...(takesBody && { requestBody: requestBody(route.body) }),
    responses: {
      [status]: { description: 'Done', content: json(refer(route.answer)) },
      default: { description: 'What was wrong and what to do', content: json(named('Error')) },
    },
  };
}

/** A body of which every member may be left out may be left out itself. */
function requestBody(body: z.ZodObject): JsonObject {
  return { required: !body.safeParse({}).success, content: json(definition(body, 'input')) };
}

function parameters(place: 'path' | 'query', { shape }: z.ZodObject): JsonObject[] {
  return Object.entries(shape).map(([name, member]) => {
    const schema = member instanceof z.ZodType ? definition(member, 'input') : {};
    return { name, in: place, required: place === 'path', schema };
  });
}

function json(schema: JsonObject): JsonObject {
  return { 'application/json': { schema } };
}

function named(id: string): JsonObject {
  return { $ref: base + id };
}

function refer(schema: z.ZodType): JsonObject {
  const [id] = Object.entries(schemas).find(([, known]) => known === schema) ?? [];
  return id === undefined ? definition(schema, 'output') : named(id);
}

/** The schema itself, in which the named ones are referred to. */
function definition(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const registry = z.registry<{ id: string }>();
  for (const [id, known] of Object.entries(schemas)) registry.add(known, { id });
  registry.add(schema, { id: 'this' });
  const found = z.toJSONSchema(registry, {
    io,
    uri: (id) => base + id,
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern; // a page of digits that says no more
    },
  }).schemas.this;
  const { $schema, $id, ...rest } = readJson.parse(found);
  return rest;
}
