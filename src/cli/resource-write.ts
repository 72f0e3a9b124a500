import { type Command, Option } from 'commander';
import { resources } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { parseDuration } from '../config/index.ts';
import { ifThere, withAdmin } from './administration.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, print, printJson } from './output.ts';
import { type Resource, resourceFields, wireResource } from './resource-shown.ts';

interface WriteOptions extends ConfigOption, JsonOption {
  uri?: string;
  name?: string;
  scope?: string[];
  alias?: string[];
  defaultScope?: string[];
  tokenFormat?: 'jwt' | 'opaque';
  tokenPrefix?: string;
  accessTtl?: string;
  dpop?: 'supported' | 'required';
  workspaceScoped?: boolean;
  client?: string[];
}

/** `authserver resource create` */
export function createResource(): Command {
  return withSettings(configured('create', 'register a protected MCP server'))
    .requiredOption('--uri <uri>', 'the URL that clients connect to')
    .action(async (slug: string, options: WriteOptions) => {
      const { uri = '' } = options;
      const { scopes = [], ...settings } = settingsOf(options);
      if (scopes.length === 0) throw wrongCall('give at least one --scope');
      const body = { slug, uri, scopes, ...settings };
      await write(slug, options, (admin) => admin.call(resources.create, { body }));
    });
}

/** `authserver resource update` */
export function updateResource(): Command {
  return withSettings(
    configured('update', 'change a resource that the configuration does not declare'),
  ).action(async (slug: string, options: WriteOptions) => {
    const body = settingsOf(options);
    await write(slug, options, (admin) =>
      ifThere(admin.call(resources.update, { params: { id: slug }, body })),
    );
  });
}

function withSettings(command: Command): Command {
  return command
    .argument('<slug>', 'short name, used in its metadata URL')
    .option('--name <display_name>', 'name on the consent page')
    .option('--scope <name[=description]>', 'what can be granted; may be repeated', collect)
    .option('--alias <uri>', 'another URI that means it; may be repeated', collect)
    .option(
      '--default-scope <name>',
      'a scope where clients ask for none; may be repeated; default all',
      collect,
    )
    .addOption(new Option('--token-format <format>').choices(['jwt', 'opaque']))
    .option('--token-prefix <text>', 'first part of opaque and personal access tokens')
    .option('--access-ttl <duration>', 'how long its access tokens live, such as 10m')
    .addOption(
      new Option('--dpop <rule>', 'whether tokens must be bound to a key').choices([
        'supported',
        'required',
      ]),
    )
    .option('--workspace-scoped', 'consent asks which workspace to grant')
    .option('--client <client_id>', 'a client that is this server; may be repeated', collect)
    .option(...jsonFlag);
}

/** What was given on the command line; a list replaces the one before. */
function settingsOf(options: WriteOptions) {
  const { name, scope, alias, defaultScope, client, accessTtl, ...rest } = options;
  const access_ttl = accessTtl === undefined ? undefined : parseDuration(accessTtl);
  if (accessTtl !== undefined && access_ttl === undefined) {
    throw wrongCall('--access-ttl takes a duration with a unit, such as 10m');
  }
  return {
    display_name: name,
    scopes: scope?.map(scopeOf),
    aliases: alias,
    default_scopes: defaultScope,
    token_format: rest.tokenFormat,
    token_prefix: rest.tokenPrefix,
    access_ttl,
    dpop: rest.dpop,
    workspace_scoped: rest.workspaceScoped,
    clients: client,
  };
}

function scopeOf(text: string): { name: string; description?: string } {
  const [name = '', ...description] = text.split('=');
  return { name, ...(description.length > 0 && { description: description.join('=') }) };
}

async function write(
  slug: string,
  options: WriteOptions,
  work: (admin: AdminClient) => Promise<Resource | undefined>,
): Promise<void> {
  const resource = await withAdmin(options, work);
  if (!resource) {
    throw new CommandFailure(
      `there is no resource ${slug}. authserver resource list shows all of them`,
    );
  }
  if (options.json) printJson(wireResource(resource));
  else print(resourceFields(resource));
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
