import { claimAttributes, largestClaims, reservedClaims } from '../config/index.ts';
import { hookRest } from './claims-hook.ts';
import { answerLimits, hookFailures } from './claims-hook-call.ts';
import { verificationSnippet } from './claims-hook-snippet.ts';

/** The claims of every access token that are not configured: docs/claims.md lists them. */
export const standardClaims = {
  iss: 'The issuer, byte for byte `server.issuer` (RFC 9068 §2.2).',
  sub: 'The id of the user; of the client, where the client itself is the subject.',
  aud: 'The resource’s registered URI, one string. Refuse tokens for anybody else.',
  exp: 'When it expires, in seconds since 1970.',
  iat: 'When it was issued.',
  jti: 'Identifies this token in the issuance record and the audit log.',
  client_id: 'The client that it was issued to.',
  scope: 'What it may be used for, separated by spaces. Absent where nothing was granted.',
  cnf: 'Its key, as `{"jkt": thumbprint}`: accept it with a DPoP proof of that key only (RFC 9449 §6).',
  act: 'Who acts for the subject: `{"sub": …}` for each link of the chain, the current one outermost (RFC 8693 §4.1).',
  workspace_id: 'The workspace that was granted, where the resource is scoped to workspaces.',
  auth_time: 'When the person signed in (RFC 9068 §2.2.1).',
} as const;

const introspectionMembers = {
  active: '`true`; `{"active": false}` is the whole answer for every other token (RFC 7662 §2.2).',
  token_type: '`Bearer` or `DPoP`.',
  username:
    'The e-mail address of the user, or what else the account is called; for clients that an operator made.',
} as const;

/** docs/claims.md */
export function claimsReference(): string {
  return `${[
    '# Claims of access tokens',
    '<!-- Generated from the source by `npm run docs`; a test fails when it is stale. -->',
    'JWT access tokens follow RFC 9068: their header says `typ: at+jwt`. Opaque ones carry nothing; introspection (RFC 7662) answers the same claims for both.',
    table(['claim', 'meaning'], standardClaims),
    'Introspection adds:',
    table(['member', 'meaning'], introspectionMembers),
    mappingSection(),
    hookSection(),
  ].join('\n\n')}\n`;
}

function mappingSection(): string {
  return [
    '## Claims of your own',
    '`resources[].claims` maps the name of a claim to its source. The claims are determined whenever a token is issued, so a refresh picks up what has changed.',
    fenced('yaml', mappingExample),
    table(['source', 'value'], {
      ...claimAttributes,
      '{ value: … }': 'A constant: text, number, true or false, or a list of these.',
      '{ group: name }': '`true` when the user is in the group, else `false`.',
      '{ groups: [names] }':
        'Those of the named groups that the user is in. Better than `user.groups`: no other group is told.',
    }),
    `What is unknown is left out, and so is an empty list: \`user.*\` and groups are absent where the client itself is the subject, and \`user.email\` for an account that has no e-mail address: one that a trusted issuer made, and whose address was missing, taken or not verified. \`workspace.*\` is absent where the resource is not scoped to workspaces.`,
    `A name has up to 64 letters, digits, \`_\`, \`.\` and \`-\`, a letter first, or is an absolute URL, which collides with nobody’s. Reserved are ${codes(reservedClaims)}.`,
    `All of them together may have ${largestClaims} bytes of JSON, because tokens travel in headers. For an account with more the token is refused (\`server_error\`); nothing is cut.`,
    'Of a personal access token the mapped claims are determined when it is introspected; it has no client, so `client.*` is absent.',
    'Claims tell the resource server and everybody who holds the token: JWTs are signed, not encrypted. Map what the server needs.',
  ].join('\n\n');
}

function hookSection(): string {
  return [
    '## Asking your own service',
    '`resources[].claims_hook` names a service that is asked at every issuance for this resource, after the mapping. Its secret is stored encrypted.',
    fenced('yaml', hookExample),
    'The request is a POST, signed as [Standard Webhooks](https://www.standardwebhooks.com) are:',
    fenced('http', requestExample),
    '`webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `webhook-id.webhook-timestamp.body`. The key is what follows `whsec_`, base64-decoded, or else the whole secret as UTF-8. `user` is `null` where the client itself is the subject; `name` and `workspace_id` may be `null`. Members may be added: ignore those that you do not know.',
    'It is asked for tokens that the token endpoint issues. Personal access tokens and `authserver token mint` go without: a resource server that relies on claims of the hook must refuse tokens that lack them.',
    'Verify it before you answer (Node.js):',
    fenced('js', verificationSnippet),
    'The answer is status 200 and JSON:',
    fenced('json', '{ "claims": { "plan": "pro", "https://example.com/seats": 3, "role": null } }'),
    `Its claims are put over the mapped ones; \`null\` takes one away. Up to ${answerLimits.bytes / 1024} KiB and ${answerLimits.depth} levels are read, names follow the rules above, and all claims together must fit into ${largestClaims} bytes.`,
    'The URL is https, or http on this computer. Private addresses are allowed, since the operator wrote it. No redirect is followed. `timeout` covers the whole call; it adds to every token request, so keep the service near.',
    `Without a usable answer, \`on_failure: deny\` refuses the token with \`temporarily_unavailable\` (503 and \`Retry-After\`) and uses nothing up: the same code or refresh token works again. \`skip\` issues it with the mapped claims alone: choose it only if a missing claim never allows more. Both are logged and counted in \`authserver_claims_hook_calls_total\`, by outcome:`,
    table(['outcome', 'meaning'], { answered: 'The claims were used.', ...hookFailures }),
    `After ${hookRest.failures} calls in a row that were not answered, or with 429 or 5xx, the hook is not asked for ${hookRest.pause} seconds.`,
  ].join('\n\n');
}

const mappingExample = `resources:
  - slug: boards
    # …
    claims:
      email: user.email
      plan: { value: pro }
      admin: { group: admins }
      teams: { groups: [red, blue] }
      "https://example.com/app": client.client_name`;

const hookExample = `    claims_hook:
      url: https://hooks.internal.example.com/claims
      secret: \${file:/run/secrets/claims_hook} # echo whsec_$(openssl rand -base64 32)
      timeout: 1s      # up to 5s
      on_failure: deny # or skip`;

const requestExample = `POST /claims HTTP/1.1
content-type: application/json
webhook-id: msg_9f0e5b8e-2c5b-4c5e-8a39-0d4f8c9d7a11
webhook-timestamp: 1767225600
webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=

{
  "version": 1,
  "event": "access_token.claims",
  "request_id": "7H2K9QX4MT",
  "resource": "https://mcp.example.com/mcp",
  "grant_type": "authorization_code",
  "scope": "boards:read",
  "client": { "client_id": "my-app", "name": "My app", "kind": "preregistered" },
  "user": { "id": "usr_…", "email": "ada@example.com", "name": "Ada", "groups": ["staff"] },
  "workspace_id": null,
  "claims": { "email": "ada@example.com" }
}`;

function table(
  [left, right]: readonly [string, string],
  rows: Readonly<Record<string, string>>,
): string {
  const lines = Object.entries(rows).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`);
  return [`| ${left} | ${right} |`, '|---|---|', ...lines].join('\n');
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

function codes(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
