import { DpopSession } from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';
import type { Visit } from './person.ts';
import type { Printer } from './printer.ts';
import { createSdkClient, type OpenBrowser, type SdkClient } from './sdk-client.ts';
import { memberLines, parameterLines, shorten, showExchange } from './show.ts';
import { answeredToolCalls, check, find, isTokenRequest } from './tour-checks.ts';
import { showAuthorization, showDiscovery, showTokens } from './tour-connect.ts';
import type { Identity, Stage } from './tour-stage.ts';
import { recordTraffic, type Traffic } from './traffic.ts';

/**
 * Goes the whole way with the official MCP SDK and prints it. Throws `StepFailed` at the first step
 * that does not do what the specification says.
 */
export async function runTour(stage: Stage, identity: Identity): Promise<void> {
  const { printer, person } = stage;
  const traffic = recordTraffic();
  let openBrowser: OpenBrowser = (url) => person.authorize(url);
  const options = {
    mcpUrl: stage.mcpUrl,
    metadata: stage.metadata,
    fetch: traffic.fetch,
    ...(identity.kind === 'CIMD' && { clientMetadataUrl: identity.clientMetadataUrl }),
    openBrowser: (url: URL) => openBrowser(url),
  };
  const client = createSdkClient(options);

  openBrowser = async (url) => {
    await showDiscovery(stage, identity, traffic.take(), url);
    return showAuthorization(stage, identity, url);
  };
  await client.connect();
  await showTokens(stage, traffic.take(), client.tokens());
  await callTool(printer, traffic, client);
  await refresh(printer, traffic, client);
  await useDpop(stage, traffic, { ...options, clientInformation: client.clientInformation() });
  await stepUp(stage, traffic, client, (next) => {
    openBrowser = next;
  });
  await client.close();
}

async function callTool(printer: Printer, traffic: Traffic, client: SdkClient): Promise<void> {
  await printer.step('The client uses the token: it lists the tools and calls one', async (out) => {
    const tools = await client.listTools();
    const answer = await client.callTool('list_boards');
    for (const exchange of answeredToolCalls(traffic.take())) {
      showExchange(out, exchange, { requestHeaders: ['Authorization'], members: [] });
    }
    out.note(`tools: ${tools.join(', ')}`);
    out.note(`list_boards: ${answer.replace(/\s+/g, ' ').slice(0, 160)}…`);
    return `${tools.length} tools, and list_boards answered`;
  });
}

async function refresh(printer: Printer, traffic: Traffic, client: SdkClient): Promise<void> {
  await printer.step('The access token grows old: the client refreshes', async (out) => {
    const before = client.tokens();
    const result = await client.refresh();
    showExchange(out, find(traffic.take(), isTokenRequest, 'the refresh'));
    check(result === 'AUTHORIZED', 'The refresh token was refused.');
    const after = client.tokens();
    check(after.access_token !== before.access_token, 'The access token stayed the same.');
    check(after.refresh_token !== before.refresh_token, 'The refresh token was not rotated.');
    return 'A new access token, and the refresh token was rotated';
  });
}

async function useDpop(
  stage: Stage,
  traffic: Traffic,
  options: Parameters<typeof createSdkClient>[0],
): Promise<void> {
  const { printer } = stage;
  const dpop = await DpopSession.create();
  const client = createSdkClient({ ...options, dpop, openBrowser: stage.person.authorize });

  await printer.step('The client binds its tokens to a key (DPoP)', async (out) => {
    await client.connect();
    showPages(out, stage.takeVisits());
    const token = find(traffic.take(), isTokenRequest, 'the token request');
    showExchange(out, token);
    const { access_token, token_type } = client.tokens();
    const proof = token.requestHeaders.get('dpop') ?? '';
    check(proof !== '', 'The SDK sent no proof.');
    out.note('the proof in the DPoP header:');
    for (const text of memberLines(decodeJwt(proof), ['htm', 'htu', 'jti'])) out.note(`  ${text}`);
    out.note('what the MCP server learns about the access token:');
    const learnt = await stage.introspect(access_token);
    for (const text of memberLines(learnt, ['token_type', 'cnf'])) out.note(`  ${text}`);
    check(
      JSON.stringify(learnt.cnf) === JSON.stringify({ jkt: dpop.thumbprint }),
      'The token is not bound to the key of the client.',
    );
    check(token_type.toLowerCase() === 'dpop', `The token_type is ${token_type}, not DPoP.`);
    return `The token is bound to the key with the thumbprint ${shorten(dpop.thumbprint)}`;
  });

  await printer.step(
    'The bound token works with a proof, and is worthless without',
    async (out) => {
      await client.callTool('list_boards');
      const [call] = answeredToolCalls(traffic.take()).slice(-1);
      if (call) showExchange(out, call, { requestHeaders: ['Authorization', 'DPoP'], members: [] });
      await client.close();
      const stolen = await traffic.fetch(stage.mcpUrl, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${client.tokens().access_token}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
      showExchange(
        out,
        find(traffic.take(), () => true, 'the stolen token'),
        {
          requestHeaders: ['Authorization'],
          responseHeaders: ['WWW-Authenticate'],
          members: [],
        },
      );
      check(stolen.status === 401, 'The MCP server took a bound token without a proof.');
      return 'Whoever copies the token cannot use it';
    },
  );
}

async function stepUp(
  stage: Stage,
  traffic: Traffic,
  client: SdkClient,
  whenAsked: (openBrowser: OpenBrowser) => void,
): Promise<void> {
  const { printer } = stage;
  let asked: URL | undefined;
  whenAsked(async (url) => {
    asked = url;
    return stage.person.authorize(url);
  });
  await printer.step('A tool needs more than the person allowed (step-up)', async (out) => {
    const answer = await client.callTool('search_docs', { query: 'a' });
    const exchanges = traffic.take();
    const refused = find(exchanges, ({ status }) => status === 403, 'the 403');
    const shown = { responseHeaders: ['WWW-Authenticate'], members: [] };
    showExchange(out, refused, shown);
    check(
      refused.responseHeaders.get('www-authenticate')?.includes('insufficient_scope') ?? false,
      'The 403 does not say insufficient_scope.',
    );
    const scopes = asked?.searchParams.get('scope') ?? '';
    if (asked)
      out.sent(`a new authorization`, parameterLines(new URLSearchParams({ scope: scopes })));
    const visits = stage.takeVisits();
    showPages(out, visits);
    check(!visits.some(({ kind }) => kind === 'sign-in'), 'The person had to sign in again.');
    showExchange(out, find(exchanges, isTokenRequest, 'the token request'));
    const [call] = answeredToolCalls(exchanges).slice(-1);
    if (call) showExchange(out, call, { requestHeaders: ['Authorization'], members: [] });
    out.note(`search_docs: ${answer.replace(/\s+/g, ' ').slice(0, 160)}…`);
    for (const scope of ['access_boards', 'access_docs']) {
      check(scopes.split(' ').includes(scope), `The client did not ask for ${scope}.`);
    }
    return 'One more consent, no second sign-in, and the call went through';
  });
}

/** The pages that a person met, as one line each. */
function showPages(out: { note(text: string): void }, visits: readonly Visit[]): void {
  for (const { kind, sent } of visits) {
    const decided = sent.decision
      ? `: ${[...(sent.scope ?? []), ...sent.decision].join(', ')}`
      : '';
    out.note(`the person meets the ${kind} page${decided}`);
  }
}
