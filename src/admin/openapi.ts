import { z } from 'zod';
import { type Route, routes, schemas } from './contract/index.ts';

type JsonObject = Record<string, z.core.util.JSONType>;

const base = '#/components/schemas/';
const readJson = z.record(z.string(), z.json());

/** The description of the admin API (OpenAPI 3.1), from the one table of routes. */
export function openApiDocument() {
  const taken = routes.flatMap(({ params, query, body }) => [
    ...members(params).map(([, schema]) => schema),
    ...members(query).map(([, schema]) => schema),
    body,
  ]);
  const input = describer('input', taken);
  const output = describer(
    'output',
    routes.map(({ answer }) => answer),
  );
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    const described = operation(route, { input, output });
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: described };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'authserver admin API',
      version: '1',
      description: 'What operators can see and do; docs/admin-api.md explains it.',
    },
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or `admin.api_key`' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-authserver_admin',
          description:
            'Of somebody who signed in at /admin/sign-in; calls that are not GET carry `X-CSRF-Token`. On this computer without `__Host-`.',
        },
      },
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([id, schema]) => [id, output(schema)]),
      ),
    },
  };
}

/** docs/openapi.json */
export function openApiReference(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}

function operation(
  route: Route,
  { input, output }: Record<'input' | 'output', Describe>,
): JsonObject {
  const { name, summary, permission, workspaceAdmin, status } = route;
  const takesBody = Object.keys(route.body.shape).length > 0;
  return {
    operationId: name,
    tags: name.split('.').slice(0, 1),
    summary,
    'x-permission': permission,
    ...(workspaceAdmin && { 'x-workspace-admin': true }),
    parameters: [
      ...parameters('path', route.params, input),
      ...parameters('query', route.query, input),
      ...headers(route),
    ],
    ...(takesBody && { requestBody: requestBody(route.body, input) }),
    responses: {
      [status]: {
        description: 'Done',
        ...(isVersioned(route) && { headers: { ETag: entityTag } }),
        content: route.media ? streamed(route.media) : json(refer(route.answer, output)),
      },
      default: { description: 'What was wrong and what to do', content: json(named('Error')) },
    },
  };
}

/** A body of which every member may be left out may be left out itself. */
function requestBody(body: z.ZodObject, describe: Describe): JsonObject {
  return { required: !body.safeParse({}).success, content: json(describe(body)) };
}

function parameters(
  place: 'path' | 'query',
  object: z.ZodObject,
  describe: Describe,
): JsonObject[] {
  return members(object).map(([name, schema]) => ({
    ...{ name, in: place, required: place === 'path' },
    schema: describe(schema),
  }));
}

function members({ shape }: z.ZodObject): [name: string, schema: z.ZodType][] {
  return Object.entries(shape).flatMap(([name, schema]) =>
    schema instanceof z.ZodType ? [[name, schema]] : [],
  );
}

const entityTag = {
  description: 'The `version` of the row, in double quotation marks',
  schema: { type: 'string' },
};

function isVersioned({ answer }: Route): boolean {
  return answer instanceof z.ZodObject && Object.hasOwn(answer.shape, 'version');
}

function headers({ method, conditional }: Route): JsonObject[] {
  const header = (name: string, description: string) => ({
    ...{ name, in: 'header', required: false, description },
    schema: { type: 'string' },
  });
  return [
    ...(conditional
      ? [
          header(
            'If-Match',
            'The `ETag` that was read: where the row has changed since, the answer is 412 and nothing is written',
          ),
        ]
      : []),
    ...(method === 'POST'
      ? [
          header(
            'Idempotency-Key',
            'Chosen by the caller, the same for every attempt: the request is done once, and its answer is given again for a day. 422 where the key came with another request, 409 where an earlier one has not ended',
          ),
        ]
      : []),
  ];
}

function json(schema: JsonObject): JsonObject {
  return { 'application/json': { schema } };
}

function streamed(media: readonly string[]): JsonObject {
  return Object.fromEntries(media.map((type) => [type, { schema: { type: 'string' } }]));
}

function named(id: string): JsonObject {
  return { $ref: base + id };
}

function refer(schema: z.ZodType, describe: Describe): JsonObject {
  const [id] = Object.entries(schemas).find(([, known]) => known === schema) ?? [];
  return id === undefined ? describe(schema) : named(id);
}

type Describe = (schema: z.ZodType) => JsonObject;

/**
 * Describes schemas, all at once since that is slow; the named ones are referred to where they occur.
 *
 * @returns a function that knows these schemas and the named ones
 */
function describer(io: 'input' | 'output', described: readonly z.ZodType[]): Describe {
  const registry = z.registry<{ id: string }>();
  for (const [id, known] of Object.entries(schemas)) registry.add(known, { id });
  for (const [index, schema] of described.entries()) {
    if (!registry.has(schema)) registry.add(schema, { id: `${unnamed}${index}` });
  }
  const found = z.toJSONSchema(registry, {
    io,
    uri: (id) => base + id,
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern; // a page of digits that says no more
    },
  }).schemas;
  const definition = (id: string): JsonObject => {
    const { $schema, $id, ...rest } = readJson.parse(found[id]);
    return readJson.parse(inlined(rest, definition));
  };
  return (schema) => definition(registry.get(schema)?.id ?? '');
}

const unnamed = '(unnamed) ';

/** With references to schemas that have no name replaced by what they refer to. */
function inlined(
  json: z.core.util.JSONType,
  definition: (id: string) => JsonObject,
): z.core.util.JSONType {
  if (Array.isArray(json)) return json.map((item) => inlined(item, definition));
  if (typeof json !== 'object' || json === null) return json;
  const { $ref: reference, ...rest } = json;
  // zod's recursive schema of any JSON, which JSON Schema says in fewer words.
  if (typeof reference === 'string' && reference.startsWith(`${base}__shared#`)) return rest;
  const siblings = Object.entries(rest).map(([name, value]) => [name, inlined(value, definition)]);
  const isUnnamed = typeof reference === 'string' && reference.startsWith(base + unnamed);
  return {
    ...(isUnnamed && definition(reference.slice(base.length))),
    ...(!isUnnamed && reference !== undefined && { $ref: reference }),
    ...Object.fromEntries(siblings),
  };
}
