import { Command } from 'commander';
import type { Resource } from '../resources/index.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  type Column,
  fields,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
} from './output.ts';
import { withRooms } from './storage.ts';

/** `authserver resource …`: to read only, since resources are declared in the configuration. */
export function resourceCommand(): Command {
  return new Command('resource')
    .description('MCP servers that are protected; the configuration declares them')
    .addCommand(list())
    .addCommand(show());
}

const columns: readonly Column<Resource>[] = [
  { title: 'SLUG', value: (resource) => resource.slug },
  { title: 'URI', value: (resource) => resource.uri },
  { title: 'SCOPES', value: (resource) => resource.scopes.map(({ name }) => name) },
  { title: 'TOKENS', value: (resource) => resource.tokenFormat },
  { title: 'STATUS', value: ({ enabled }) => (enabled ? 'enabled' : 'disabled') },
];

function list(): Command {
  return configured('list', 'every resource')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const resources = await withRooms(options, async (rooms) => rooms.resources.all());
      if (options.json) return printJson(resources.map(wire));
      print(
        table(
          resources,
          columns,
          'There is no resource yet. Declare it under resources in the configuration and start the server: authserver serve',
        ),
      );
    });
}

function show(): Command {
  return configured('show', 'one resource')
    .argument('<resource>', 'its slug, URI or alias')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const resource = await withRooms(options, async ({ resources }) =>
        resources
          .all()
          .find(
            ({ slug, uri, aliases }) => slug === which || uri === which || aliases.includes(which),
          ),
      );
      if (!resource) {
        throw new CommandFailure(
          `there is no resource ${which}. authserver resource list shows all of them`,
        );
      }
      if (options.json) printJson(wire(resource));
      else print(text(resource));
    });
}

function text(resource: Resource): string {
  const shown = wire(resource);
  const { scopes, access, exchange, workspace_scoped, claims, ...rest } = shown;
  const members = {
    ...rest,
    enabled: String(rest.enabled),
    workspace_scoped: String(workspace_scoped),
    claims: Object.keys(claims).join(', ') || 'the standard ones',
    claims_hook: shown.claims_hook?.url,
    exchange: exchangeOf(exchange),
  };
  const rules = access.map((rule) => JSON.stringify(rule));
  const names = scopes.map(({ name, description }) => `${name} (${description})`);
  return fields({ ...members, scopes: names.join(', '), access: rules.join(', ') || 'everybody' });
}

/** Who may exchange tokens of other resources for one of this. */
function exchangeOf(policy: Resource['exchange']): string {
  if (!policy || policy.clients.length === 0) return 'nobody';
  const { clients, consent, impersonation } = policy;
  const unnamed = impersonation.length > 0 ? `; without act: ${impersonation.join(' ')}` : '';
  return `${clients.join(' ')} (consent: ${consent}${unnamed})`;
}

/** Without its secret. */
function hookOf({ claimsHook: hook }: Resource) {
  return hook && { url: hook.url, timeout: hook.timeout, on_failure: hook.on_failure };
}

/** Under the names that the configuration has for it. */
function wire(resource: Resource) {
  return {
    slug: resource.slug,
    uri: resource.uri,
    aliases: resource.aliases,
    display_name: resource.displayName,
    scopes: resource.scopes,
    default_scopes: resource.defaultScopes,
    token_format: resource.tokenFormat,
    token_prefix: resource.tokenPrefix,
    access_ttl: resource.accessTtl,
    dpop: resource.dpop,
    workspace_scoped: resource.workspaceScoped,
    clients: resource.clients,
    access: resource.access,
    exchange: resource.exchange,
    claims: resource.claims,
    claims_hook: hookOf(resource),
    enabled: resource.enabled,
    source: resource.source,
  };
}
