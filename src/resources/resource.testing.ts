import { identifiersOf, type Resource } from './resource.ts';

/** A resource for tests: `https://rs1.test/mcp` with the scopes read, write (implies read) and admin. */
export function aResource(changes: Partial<Resource> = {}): Resource {
  const resource: Resource = {
    uri: 'https://rs1.test/mcp',
    slug: 'rs1',
    aliases: [],
    identifiers: [],
    displayName: 'Resource one',
    scopes: [
      { name: 'read', description: 'Read', implies: [] },
      { name: 'write', description: 'Write', implies: ['read'] },
      { name: 'admin', description: 'Everything', implies: ['write'] },
    ],
    tokenFormat: 'jwt',
    tokenPrefix: 'as',
    dpop: 'supported',
    workspaceScoped: false,
    clients: [],
    access: [],
    claims: {},
    enabled: true,
    source: 'config',
    ...changes,
  };
  return { ...resource, identifiers: identifiersOf(resource) };
}
