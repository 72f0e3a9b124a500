import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { clients, resources } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import type { AuthMethod } from '../clients/index.ts';
import { formatDuration, parseDuration } from '../config/index.ts';
import { grantTypes } from '../oauth/index.ts';
import { all, withAdmin } from './administration.ts';
import { type Client, clientFields, wireClient } from './client-shown.ts';
import { wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, note, print, printJson } from './output.ts';
import { answersTo } from './token-subjects.ts';

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
      const { made, remarks } = await withAdmin(options, async (admin) => {
        const made = await admin.call(clients.create, { body: declared });
        return { made, remarks: await remarksOn(made, options, admin) };
      });
      const { client_secret, ...client } = made;
      if (options.json) printJson({ ...wireClient(client), client_secret });
      else print(clientFields(client));
      if (!options.json && client_secret) {
        print(`\nclient_secret, shown only now: ${client_secret}`);
      }
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
async function remarksOn(
  { grant_types: granted }: Client,
  asked: CreateOptions,
  admin: AdminClient,
): Promise<string[]> {
  const off = (asked.grantType ?? []).filter((grant) => !granted.includes(grant));
  const wanted = asked.resource ?? [];
  const known = wanted.length > 0 ? await all(admin.each(resources.list, { enabled: 'true' })) : [];
  const unknown = wanted.filter((uri) => !known.some((one) => answersTo(one, uri)));
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
      const made = await withAdmin(options, (admin) =>
        admin.call(clients.initialAccessToken, { body: { expires_in: ttl } }),
      );
      const { initial_access_token, expires_at, dcr_mode: mode } = made;
      if (options.json) printJson({ initial_access_token, expires_at });
      else print(initial_access_token);
      note(`It registers one client within ${formatDuration(ttl)}, and is shown only now.`);
      modeNote(mode);
    });
}

function modeNote(mode: string): void {
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
