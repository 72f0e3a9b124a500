import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { AuthMethod, Client } from '../clients/index.ts';
import { type Config, formatDuration, parseDuration } from '../config/index.ts';
import { grantTypes } from '../oauth/index.ts';
import type { Rooms } from '../rooms.ts';
import { clientFields, wireClient } from './client-shown.ts';
import { wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { operator } from './operator.ts';
import { type JsonOption, jsonFlag, note, print, printJson } from './output.ts';
import { withRooms } from './storage.ts';

const methods: readonly AuthMethod[] = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
];
const forPeople: readonly string[] = [
  grantTypes.authorizationCode,
  grantTypes.refreshToken,
  grantTypes.deviceCode,
];

const longestTtl = 365 * 86_400; // seconds

interface CreateOptions extends ConfigOption, JsonOption {
  name?: string;
  redirectUri?: string[];
  grantType?: string[];
  scope?: string;
  resource?: string[];
  authMethod?: AuthMethod;
  jwksUri?: string;
  requirePushedRequests?: boolean;
}

/** `authserver client create` */
export function createClient(): Command {
  return configured('create', 'make a client; its secret, if it has one, is shown once')
    .argument('[client_id]', 'default: one is made up')
    .option('--name <client_name>', 'name on the consent page')
    .option('--redirect-uri <uri>', 'where answers may go; may be repeated', collect)
    .addOption(
      new Option(
        '--grant-type <grant_type>',
        'a grant it may use; may be repeated; default authorization_code and refresh_token',
      ).argParser(oneOfGrants),
    )
    .option('--scope <scope>', 'the scopes it may ask for, separated by spaces; default all')
    .option('--resource <uri>', 'a resource it may ask for; may be repeated; default all', collect)
    .addOption(
      new Option(
        '--auth-method <token_endpoint_auth_method>',
        'how it authenticates; default private_key_jwt with --jwks-uri, client_secret_basic for machine grants, else none',
      ).choices(methods),
    )
    .option('--jwks-uri <url>', 'where its public keys are')
    .option('--require-pushed-requests', 'it must push its authorization requests (RFC 9126)')
    .option(...jsonFlag)
    .action(async (clientId: string | undefined, options: CreateOptions) => {
      const declared = declare(clientId ?? newId(), options);
      const { client, clientSecret, remarks } = await withRooms(options, async (rooms) => {
        const by = operator(rooms.now());
        const made = await rooms.clients.create(declared, 'cli', by);
        return { ...made, remarks: remarksOn(made.client, options, rooms) };
      });
      if (options.json) printJson({ ...wireClient(client), client_secret: clientSecret });
      else print(clientFields(client));
      if (!options.json && clientSecret) print(`\nclient_secret, shown only now: ${clientSecret}`);
      for (const remark of remarks) note(remark);
    });
}

function declare(client_id: string, options: CreateOptions) {
  const grants = options.grantType ?? [grantTypes.authorizationCode, grantTypes.refreshToken];
  const redirect_uris = options.redirectUri ?? [];
  if (redirect_uris.length === 0 && grants.includes(grantTypes.authorizationCode)) {
    throw wrongCall('give --redirect-uri, or a --grant-type that needs none');
  }
  return {
    client_id,
    client_name: options.name,
    redirect_uris,
    grant_types: grants,
    scope: options.scope,
    resources: options.resource,
    token_endpoint_auth_method: options.authMethod ?? impliedMethod(options, grants),
    jwks_uri: options.jwksUri,
    require_pushed_authorization_requests: options.requirePushedRequests,
  };
}

function impliedMethod({ jwksUri }: CreateOptions, grants: readonly string[]): AuthMethod {
  if (jwksUri !== undefined) return 'private_key_jwt';
  return grants.every((grant) => forPeople.includes(grant)) ? 'none' : 'client_secret_basic';
}

/** What the operator asked for and did not get, or may have misspelled. */
function remarksOn({ metadata }: Client, asked: CreateOptions, { resources }: Rooms): string[] {
  const off = (asked.grantType ?? []).filter((grant) => !metadata.grant_types.includes(grant));
  const unknown = (asked.resource ?? []).filter((uri) => !resources.resolve(uri));
  return [
    ...off.map((grant) => `${grant} is switched off in the configuration and was left out.`),
    ...unknown.map(
      (uri) => `No resource ${uri} is declared yet; until it is, it cannot be asked for.`,
    ),
  ];
}

function newId(): string {
  return `client_${randomBytes(12).toString('hex')}`;
}

/** `authserver client initial-access-token` */
export function initialAccessToken(): Command {
  return configured(
    'initial-access-token',
    'make a token that registers one client, for dcr.mode initial_access_token; shown once',
  )
    .option('--ttl <duration>', 'how long it is good, such as 30m or 7d', '1d')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption & { ttl: string }) => {
      const ttl = parseDuration(options.ttl);
      if (!ttl || ttl > longestTtl)
        throw wrongCall('--ttl takes a duration with a unit, such as 30m or 7d, up to 365d');
      const { token, expiresAt, mode } = await withRooms(options, async ({ clients }, { dcr }) => ({
        ...(await clients.issueInitialAccessToken(ttl)),
        mode: dcr.mode,
      }));
      if (options.json) printJson({ initial_access_token: token, expires_at: expiresAt });
      else print(token);
      note(`It registers one client within ${formatDuration(ttl)}, and is shown only now.`);
      modeNote(mode);
    });
}

function modeNote(mode: Config['dcr']['mode']): void {
  if (mode === 'initial_access_token') return;
  note(`dcr.mode is ${mode}: registration asks for no such token. Set it to initial_access_token.`);
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function oneOfGrants(value: string, before: string[] = []): string[] {
  const known: string[] = Object.values(grantTypes);
  if (!known.includes(value)) throw wrongCall(`--grant-type is one of ${known.join(', ')}`);
  return collect(value, before);
}
