import { type Command, Option } from 'commander';
import { clients, tokens } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { ifThere, withAdmin } from './administration.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, note, print, printJson, withoutNulls } from './output.ts';
import { durationOption, findResource, membershipFor, scopeOption } from './token-subjects.ts';
import { findAccount } from './user-lookup.ts';

interface WhatFor extends ConfigOption, JsonOption {
  resource: string;
  scope: string[];
  workspace?: string;
}

interface CreateOptions extends WhatFor {
  user: string;
  name: string;
  expires?: number;
}

/** `authserver token create` */
export function createToken(): Command {
  return whatFor(configured('create', 'make a personal access token for somebody; shown once'))
    .requiredOption('--user <user>', 'whose it is: e-mail address or id of the account')
    .requiredOption('--name <name>', 'where it will be used')
    .addOption(
      new Option(
        '--expires <duration>',
        'how long it lives, such as 30d, up to tokens.personal_access_max_ttl; default 90d',
      ).argParser(durationOption),
    )
    .action(async (options: CreateOptions) => {
      const made = await withAdmin(options, async (admin) => {
        const person = await findAccount(admin, options.user);
        const resource = await findResource(admin, options.resource);
        const workspace_id = await membershipFor(admin, person, options);
        const { name, expires: expires_in } = options;
        const scope = options.scope.join(' ');
        const body = { sub: person.id, name, resource, scope, workspace_id, expires_in };
        return admin.call(tokens.create, { body });
      });
      const { token, id, username: user, name, resource, expires_at } = made;
      if (options.json) {
        const { scope, workspace_id } = made;
        const shown = { token, id, user, name, resource, workspace_id, scopes: scope.split(' ') };
        printJson(withoutNulls({ ...shown, expires_at }));
      } else print(token);
      note(`It is shown only now. ${user} can use it at ${resource} until ${expires_at}.`);
    });
}

interface MintOptions extends WhatFor {
  client?: string;
  user?: string;
  ttl?: number;
}

/** `authserver token mint` */
export function mintToken(): Command {
  return whatFor(
    configured(
      'mint',
      'make a short-lived access token to try a resource server with, without sign-in and consent; audited',
    ),
  )
    .option('--client <client_id>', 'the client that it is issued to; this or --user is required')
    .option('--user <user>', 'whom it speaks for: e-mail address or id; default the client itself')
    .addOption(
      new Option(
        '--ttl <duration>',
        'how long it lives; default and maximum are what access tokens of the resource live',
      ).argParser(durationOption),
    )
    .action(async (options: MintOptions) => {
      if (!options.client && !options.user) {
        throw wrongCall('say whom the token is for, with --client, --user or both');
      }
      const { access_token, jti, scope, expires_at } = await withAdmin(options, async (admin) =>
        admin.call(tokens.mint, { body: await requestOf(admin, options) }),
      );
      if (options.json) printJson({ access_token, jti, scopes: scope.split(' '), expires_at });
      else print(access_token);
      note(`It works until ${expires_at}.`);
    });
}

async function requestOf(admin: AdminClient, options: MintOptions) {
  const resource = await findResource(admin, options.resource);
  const user = options.user === undefined ? undefined : await findAccount(admin, options.user);
  const workspace_id = await membershipFor(admin, user, options);
  const { client: client_id, scope, ttl: expires_in } = options;
  if (client_id !== undefined) await requireClient(admin, client_id);
  return { client_id, sub: user?.id, resource, workspace_id, scope: scope.join(' '), expires_in };
}

/** @throws CommandFailure */
async function requireClient(admin: AdminClient, id: string): Promise<void> {
  if (await ifThere(admin.call(clients.get, { params: { id } }))) return;
  throw new CommandFailure(`there is no client ${id}. authserver client list shows all of them`);
}

function whatFor(command: Command): Command {
  return command
    .requiredOption('--resource <resource>', 'what it is for: slug, URI or alias')
    .addOption(
      new Option('--scope <scope>', 'what it may do: scopes separated by spaces')
        .argParser(scopeOption)
        .makeOptionMandatory(),
    )
    .option(
      '--workspace <workspace>',
      'slug or id, where the resource is scoped to workspaces: one that the person is a member of',
    )
    .option(...jsonFlag);
}
