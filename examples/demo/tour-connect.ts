import type { StoredOAuthTokens } from '@modelcontextprotocol/client';
import type { Visit } from './person.ts';
import { memberLines, parameterLines, parseObject, showExchange } from './show.ts';
import { check, find, isTokenRequest } from './tour-checks.ts';
import type { Identity, Stage } from './tour-stage.ts';
import type { Exchange } from './traffic.ts';

/** From the first refused call to the authorization URL. */
export async function showDiscovery(
  { printer, issuer, mcpUrl }: Stage,
  identity: Identity,
  exchanges: readonly Exchange[],
  authorizationUrl: URL,
): Promise<void> {
  await printer.step('The client calls the MCP server, and is turned away', (out) => {
    const refused = find(exchanges, ({ status }) => status === 401, 'a refused call');
    showExchange(out, refused, { responseHeaders: ['WWW-Authenticate'], members: [] });
    const challenge = refused.responseHeaders.get('www-authenticate') ?? '';
    check(challenge.includes('resource_metadata='), 'The challenge names no resource_metadata.');
    return 'The challenge says where to read on and which scope to ask for';
  });

  await printer.step('Who protects this server? Protected resource metadata', (out) => {
    const metadata = find(exchanges, isAt('oauth-protected-resource'), 'that request');
    showExchange(out, metadata);
    const { resource, authorization_servers } = parseObject(metadata.responseBody);
    check(resource === mcpUrl, `It speaks for ${resource}, not for ${mcpUrl}.`);
    check(
      Array.isArray(authorization_servers) && authorization_servers.includes(issuer),
      `It does not name ${issuer}.`,
    );
    return `Tokens come from ${issuer}`;
  });

  await printer.step('What can that server do? Authorization server metadata', (out) => {
    const metadata = find(exchanges, isAt('oauth-authorization-server'), 'that request');
    showExchange(out, metadata, { members: shownMetadata });
    const document = parseObject(metadata.responseBody);
    check(document.issuer === issuer, `Its issuer is ${document.issuer}, not ${issuer}.`);
    check(
      document.client_id_metadata_document_supported === true,
      'It does not take client metadata documents.',
    );
    return 'PKCE with S256, client metadata documents, registration, DPoP: all there';
  });

  if (identity.kind === 'DCR') await showRegistration(printer, exchanges);

  await printer.step('The client sends the person to the server', (out) => {
    out.sent(
      `open ${authorizationUrl.origin}${authorizationUrl.pathname}`,
      parameterLines(authorizationUrl.searchParams),
    );
    const { searchParams } = authorizationUrl;
    check(searchParams.get('code_challenge_method') === 'S256', 'PKCE is not S256.');
    check(searchParams.get('resource') === mcpUrl, 'The resource is missing.');
    const isDocument = searchParams.get('client_id')?.startsWith('https://') ?? false;
    check(isDocument === (identity.kind === 'CIMD'), 'The client_id is of the other kind.');
    return isDocument
      ? 'No registration: the client_id is the address of a document about the client'
      : 'PKCE S256, and the token will be for this MCP server alone';
  });
}

async function showRegistration(
  printer: Stage['printer'],
  exchanges: readonly Exchange[],
): Promise<void> {
  await printer.step('The client registers itself (DCR)', (out) => {
    const registration = find(exchanges, isAt('/register'), 'a registration');
    showExchange(out, registration);
    check(registration.status === 201, `The registration answered ${registration.status}.`);
    const { client_id } = parseObject(registration.responseBody);
    return `From now on it is ${client_id}`;
  });
}

/** The person signs in and consents; answers the redirect to the client. */
export async function showAuthorization(
  { printer, issuer, person, takeVisits }: Stage,
  identity: Identity,
  authorizationUrl: URL,
): Promise<URL> {
  const back = await person.authorize(authorizationUrl);
  const visits = takeVisits();

  const signIn = visits.find(({ kind }) => kind === 'sign-in');
  if (signIn) {
    await printer.step('The person signs in', (out) => {
      out.sent(`POST ${signIn.page.origin}${signIn.page.pathname}`, [
        ...fieldLines(signIn),
        'password = ••••••••',
      ]);
      out.received(`${signIn.status}, and on to ${whereTo(signIn)}`);
      return 'A session starts';
    });
  }

  await printer.step('The person is asked, and allows it', (out) => {
    const consent = visits.find(({ kind }) => kind === 'consent');
    if (!consent) throw new Error('Nobody asked the person.');
    out.note(`the page: “${consent.text.slice(0, 420)}…”`);
    out.sent(`POST ${consent.page.origin}${consent.page.pathname}`, fieldLines(consent));
    out.received(`${consent.status}, and on to ${whereTo(consent)}`);
    if (identity.kind === 'CIMD') {
      out.note(`the server read the client's document ${identity.documentHits()} time(s)`);
      check(identity.documentHits() > 0, 'The server never read the client’s document.');
    }
    return 'Consent is given for these scopes and this MCP server';
  });

  await printer.step('Back at the client, with a code', (out) => {
    out.received(`${back.origin === 'null' ? back.protocol : back.origin}${back.pathname}`, [
      ...parameterLines(back.searchParams),
    ]);
    check(back.searchParams.has('code'), 'There is no code.');
    check(
      back.searchParams.get('state') === authorizationUrl.searchParams.get('state'),
      'The state is not the one that was sent.',
    );
    check(back.searchParams.get('iss') === issuer, 'iss does not name the server.');
    return 'state and iss are right: this answer is to this question, from this server';
  });
  return back;
}

/** The code becomes tokens. */
export async function showTokens(
  { printer, issuer, mcpUrl, introspect }: Stage,
  exchanges: readonly Exchange[],
  tokens: StoredOAuthTokens,
): Promise<void> {
  await printer.step('The client turns the code into tokens', (out) => {
    showExchange(out, find(exchanges, isTokenRequest, 'the code exchange'));
    check(tokens.refresh_token !== undefined, 'There is no refresh token.');
    return 'A short-lived access token that says nothing by itself, and a refresh token';
  });

  await printer.step('What the MCP server learns about this token (introspection)', async (out) => {
    const answer = await introspect(tokens.access_token);
    out.sent(`POST ${issuer}/oauth/introspect, as the MCP server`);
    out.received('200 OK', memberLines(answer, shownAboutTokens));
    const { active, iss, aud, workspace_id } = answer;
    check(active === true, 'It is not active.');
    check(iss === issuer, `It is issued by ${iss}.`);
    check(aud === mcpUrl, `Its audience is ${aud}, not ${mcpUrl}.`);
    check(typeof workspace_id === 'string', 'It is for no workspace.');
    return 'For this MCP server only, in the workspace that the person chose';
  });
}

const shownAboutTokens = [
  ...['active', 'iss', 'aud', 'sub', 'username', 'client_id', 'scope', 'token_type'],
  ...['workspace_id', 'workspace_name', 'iat', 'exp'],
];

const shownMetadata = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'code_challenge_methods_supported',
  'client_id_metadata_document_supported',
  'authorization_response_iss_parameter_supported',
  'dpop_signing_alg_values_supported',
];

function isAt(part: string): (exchange: Exchange) => boolean {
  return ({ url, status }) => url.pathname.includes(part) && status < 400;
}

function fieldLines({ sent }: Visit): string[] {
  const fields = Object.entries(sent).flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return parameterLines(new URLSearchParams(fields));
}

function whereTo({ location = '(nowhere)' }: Visit): string {
  const shown = location.split('?', 1)[0] ?? location;
  return shown === location ? location : `${shown}?…`;
}
