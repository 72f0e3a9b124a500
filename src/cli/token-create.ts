import { type Command, Option } from 'commander';
import type { Rooms } from '../rooms.ts';
import { mintForTesting, type TestTokenRequest } from '../tokens/index.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { operator } from './operator.ts';
import { type JsonOption, jsonFlag, note, print, printJson } from './output.ts';
import { withRooms } from './storage.ts';
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
      const { name, scope: scopes, expires: expiresIn } = options;
      const made = await withRooms(options, async (rooms) => {
        const { id: userId } = await findAccount(rooms, options.user);
        const resource = findResource(rooms, options.resource);
        const workspaceId = (await membershipFor(rooms, userId, options))?.id;
        const request = { userId, resource, workspaceId, scopes, name, expiresIn };
        return rooms.tokens.personal.create(request, operator(rooms.now()));
      });
      const { value, id, email, resource, workspace, expiresAt } = made;
      const shown = { token: value, id, user: email, name: made.name, resource };
      if (options.json) {
        const workspace_id = workspace?.id;
        printJson({ ...shown, workspace_id, scopes: made.scopes, expires_at: expiresAt });
      } else print(value);
      note(
        `It is shown only now. ${email} can use it at ${resource} until ${expiresAt.toISOString()}.`,
      );
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
      const { value, jti, scopes, expiresAt } = await withRooms(
        options,
        async (rooms, { server, tokens }) => {
          const settings = { issuer: server.issuer, accessTtl: tokens.access_ttl };
          const request = await requestOf(rooms, options);
          return mintForTesting(rooms, settings, request, operator(rooms.now()));
        },
      );
      if (options.json) printJson({ access_token: value, jti, scopes, expires_at: expiresAt });
      else print(value);
      note(`It works until ${expiresAt.toISOString()}.`);
    });
}

async function requestOf(rooms: Rooms, options: MintOptions): Promise<TestTokenRequest> {
  const resource = findResource(rooms, options.resource);
  const user = options.user === undefined ? undefined : await findAccount(rooms, options.user);
  const workspace = await membershipFor(rooms, user?.id, options);
  const rest = { resource, workspace, scopes: options.scope, expiresIn: options.ttl };
  if (options.client === undefined) return { ...rest, subject: { user: person(user) } };
  const client = await rooms.clients.find(options.client, { refresh: false });
  if (client) return { ...rest, subject: { client, user } };
  throw new CommandFailure(
    `there is no client ${options.client}. authserver client list shows all of them`,
  );
}

function person<T>(user: T | undefined): T {
  if (user === undefined) throw wrongCall('say whom the token is for, with --client or --user');
  return user;
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
