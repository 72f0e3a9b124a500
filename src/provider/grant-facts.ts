import type { Config } from '../config/index.ts';
import { grantTypes } from '../oauth/index.ts';

type Switches = Pick<Config, 'client_credentials' | 'device' | 'token_exchange' | 'xaa'>;

/** What is to be known of a grant: whether it is served, and docs/grants.md. */
interface GrantFacts {
  isServed(config: Switches): boolean;
  /** The setting that switches it; some cannot be switched off. */
  readonly setting?: string;
  readonly spec: string;
  readonly buys: string;
  readonly who: string;
  readonly parameters: string;
  readonly refresh: boolean;
}

const grants: Readonly<Record<string, GrantFacts>> = {
  [grantTypes.authorizationCode]: {
    isServed: () => true,
    spec: 'OAuth 2.1 §4.1, RFC 7636, RFC 9207; pushed: RFC 9126',
    buys: 'A token for the person who signed in and approved, bound to one resource.',
    who: 'every client; PKCE with S256 always',
    parameters: '`code`, `redirect_uri`, `code_verifier`, `resource` (may be repeated as it was)',
    refresh: true,
  },
  [grantTypes.refreshToken]: {
    isServed: () => true,
    spec: 'OAuth 2.1 §4.3, RFC 9700 §4.14',
    buys: 'A new access token and the next refresh token; within `oauth.refresh_overlap` a repeated use gets the same one.',
    who: 'the client that got the refresh token, with the DPoP key it is bound to',
    parameters: '`refresh_token`, `scope` (narrower), `resource` (the same)',
    refresh: true,
  },
  [grantTypes.clientCredentials]: {
    isServed: (config) => config.client_credentials.enabled,
    setting: 'client_credentials.enabled',
    spec: 'OAuth 2.1 §4.2, RFC 7523',
    buys: 'A token about the client itself; scope is what was asked, cut by the client and the resource.',
    who: 'pre-registered clients that authenticate',
    parameters: '`resource` (or the default), `scope`',
    refresh: false,
  },
  [grantTypes.deviceCode]: {
    isServed: (config) => config.device.enabled,
    setting: 'device.enabled',
    spec: 'RFC 8628',
    buys: 'A token for the person who typed the code of the device and approved.',
    who: 'pre-registered clients; self-registered ones with `dcr.allow_device`',
    parameters: '`device_code`, `resource` (may be repeated as it was)',
    refresh: true,
  },
  [grantTypes.tokenExchange]: {
    isServed: (config) => config.token_exchange.enabled,
    setting: 'token_exchange.enabled',
    spec: 'RFC 8693',
    buys: 'A narrower token in place of one of ours, naming who acts (`act`); see token-exchange.md.',
    who: 'pre-registered clients that authenticate: those bound to the resource of the presented token, and its own client',
    parameters:
      '`subject_token`, `subject_token_type`, `resource` or `audience`, `scope`, `requested_token_type`, `actor_token`, `actor_token_type`',
    refresh: false,
  },
  [grantTypes.jwtBearer]: {
    isServed: (config) => config.xaa.enabled,
    setting: 'xaa.enabled',
    spec: 'RFC 7523 §2.1, Identity Assertion Authorization Grant (ID-JAG)',
    buys: 'A token for a person whom a trusted issuer vouches for, without asking them; see enterprise.md.',
    who: 'pre-registered clients that authenticate, and metadata documents that name the grant',
    parameters: '`assertion`, `scope`, `resource`',
    refresh: false,
  },
};

/** The grant types that this server serves, as its metadata names them. */
export function servedGrants(config: Switches): string[] {
  return Object.entries(grants)
    .filter(([, { isServed }]) => isServed(config))
    .map(([grantType]) => grantType);
}

/** docs/grants.md */
export function grantReference(): string {
  return `${[
    '# Grants',
    '<!-- Generated from the source by `npm run docs`; a test fails when it is stale. -->',
    'What a client can send to `POST /oauth/token`. Every token is for one resource (RFC 8707), is bound to a key when the request proves one (RFC 9449), and leaves an issuance record with its parent, so that what was issued can be seen and taken back. `resource`, `scope` and DPoP follow the same rules everywhere.',
    ...Object.entries(grants).map(([grantType, facts]) => section(grantType, facts)),
  ].join('\n\n')}\n`;
}

function section(grantType: string, facts: GrantFacts): string {
  const rows = [
    ['who may', facts.who],
    ['parameters', facts.parameters],
    ['refresh token', facts.refresh ? 'yes, where the client has the grant type' : 'never'],
    ['switch', facts.setting ? `\`${facts.setting}\`` : 'always on'],
    ['defined in', facts.spec],
  ];
  const table = rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n');
  return `## \`${grantType}\`\n\n${facts.buys}\n\n| | |\n|---|---|\n${table}`;
}
