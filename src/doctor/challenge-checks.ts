import { type Challenge, readChallenge } from './challenge.ts';
import { type Check, type Examination, fail, type Outcome, pass, skip, warn } from './finding.ts';
import { isHttpsOrThisComputer, isThisComputer } from './places.ts';
import { type Answer, said } from './probe.ts';
import { clockOf, preflight, preflightProblem } from './server-checks.ts';

const browsers = ['MCP Inspector 1.x', 'web apps'];

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'authserver doctor', version: '1' },
  },
});

const mcpHeaders = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'mcp-protocol-version': '2025-11-25',
  origin: 'https://client.example',
};

/** The first request of every client: initialize, without a token. */
export function firstCall({ url, ask }: Examination): Promise<Answer> {
  return ask(url, { method: 'POST', headers: mcpHeaders, body: initialize });
}

/** The challenge that it was answered with. */
export async function challengeOf(examination: Examination): Promise<Challenge | undefined> {
  return readChallenge((await firstCall(examination)).header('www-authenticate'));
}

/** How the MCP server asks for a token. */
export const challengeChecks: readonly Check[] = [
  {
    id: 'mcp_secure',
    group: 'challenge',
    title: 'The MCP server is https, or on this computer',
    clients: ['Claude.ai', 'ChatGPT', 'every client on another computer'],
    fix: 'Serve the MCP server over https: tokens must not travel in clear.',
    async run({ url, issuer }) {
      if (!isHttpsOrThisComputer(url)) return fail(`${url} is not https.`, 'https');
      if (url.startsWith('https:')) return pass('It is https.');
      if (isThisComputer(issuer)) return pass('Both it and this server are on this computer.');
      return warn('Only clients on this computer can reach it.', 'https');
    },
  },
  {
    id: 'mcp_refuses',
    group: 'challenge',
    title: 'A call without a token is answered 401',
    clients: [],
    fix: 'Check for a token before anything else on every POST, and answer 401 (RFC 6750 §3). The kit does that: protectMcp.',
    async run(examination) {
      return refusal(await firstCall(examination), examination.url);
    },
  },
  {
    id: 'mcp_refuses_first',
    group: 'challenge',
    title: 'The token is asked for before the request is judged',
    clients: ['Claude.ai', 'VS Code', 'TypeScript SDK v1'],
    fix: 'Ask for the token before the body, the Accept header and the session are looked at: clients probe with requests that are not complete.',
    async run({ url, ask }) {
      const headers = { 'content-type': 'application/json' };
      const answer = await ask(url, { method: 'POST', headers, body: '{}' });
      if (answer.status === 401) return pass('An incomplete request is answered 401 too.');
      return warn(
        `An incomplete request without a token gets another answer: ${said(answer)}.`,
        '401',
      );
    },
  },
  {
    id: 'mcp_get',
    group: 'challenge',
    title: 'GET is answered 401 or 405',
    clients: ['VS Code', 'Cursor', 'TypeScript SDK v1'],
    fix: 'Answer GET with 401 where the server has a stream to offer, else with 405: after 404 clients give up or take the server for an older one.',
    async run({ url, ask }) {
      const headers = { accept: 'text/event-stream', origin: 'https://client.example' };
      const answer = await ask(url, { headers });
      if (answer.status === 401 || answer.status === 405) return pass(`It is ${answer.status}.`);
      const words = `GET without a token: ${said(answer)}.`;
      return answer.status === 200 ? fail(words, '401 or 405') : warn(words, '401 or 405');
    },
  },
  {
    id: 'challenge_scheme',
    group: 'challenge',
    title: 'The 401 has a Bearer challenge',
    clients: [],
    fix: 'Add WWW-Authenticate: Bearer resource_metadata="…" to every 401 (RFC 9728 §5.1).',
    async run(examination) {
      const first = await firstCall(examination);
      if (first.status !== 401) return skip('There is no 401 to look at.');
      const header = first.header('www-authenticate');
      if (readChallenge(header)) return pass('It has one.');
      return fail(
        header === '' ? 'The 401 has no WWW-Authenticate.' : 'Its WWW-Authenticate has no Bearer.',
        'WWW-Authenticate: Bearer …',
      );
    },
  },
  {
    id: 'challenge_metadata',
    group: 'challenge',
    title: 'The challenge says where the metadata of the resource is',
    clients: ['Claude.ai', 'ChatGPT', 'VS Code', 'TypeScript SDK v2'],
    fix: 'Add resource_metadata="<absolute URL of the metadata>" to the challenge (RFC 9728 §5.1).',
    run: namesMetadata,
  },
  {
    id: 'challenge_scope',
    group: 'challenge',
    title: 'The challenge says which scopes to ask for',
    clients: ['Claude Code', 'VS Code', 'Codex CLI'],
    fix: 'Add scope="…" with the least that a first call needs; without it clients ask for every scope that the metadata lists.',
    async run(examination) {
      const challenge = await challengeOf(examination);
      if (!challenge) return skip('There is no challenge to look at.');
      if (challenge.scope) return pass(`It asks for ${challenge.scope}.`);
      return warn('It names no scope.', 'scope="…"');
    },
  },
  {
    id: 'mcp_cors',
    group: 'challenge',
    title: 'Scripts of other origins may call the MCP server and read its challenge',
    clients: browsers,
    fix: 'Answer OPTIONS without a token, allow the headers authorization, content-type and mcp-protocol-version, and expose WWW-Authenticate. The kit does that.',
    run: mcpCors,
  },
  {
    id: 'mcp_clock',
    group: 'challenge',
    title: 'The clock of the MCP server is right',
    clients: [],
    fix: 'Switch time synchronisation (NTP) on there: tokens look expired, or not valid yet.',
    async run(examination) {
      return clockOf(await firstCall(examination), examination);
    },
  },
];

function refusal(answer: Answer, url: string): Outcome {
  const { status } = answer;
  if (status === 401) return pass('It is.');
  if (status >= 200 && status < 300) {
    return fail(`${url} answered ${status} without a token: it is not protected.`, '401');
  }
  if (status === 404) {
    return fail(
      `${url} does not exist.`,
      '401',
      'Check the path: the URL that people paste must be the MCP endpoint itself, such as …/mcp.',
    );
  }
  if (status >= 300 && status < 400) {
    return fail(
      `${url} redirects, and clients lose the token on the way.`,
      '401',
      'Paste the URL that it leads to, and register that one.',
    );
  }
  if (status === 0) {
    const fix = 'Start the MCP server, and check its address and certificate.';
    return fail(`${url} cannot be reached: ${said(answer)}.`, '401', fix);
  }
  return fail(`${url} answered ${status}.`, '401');
}

async function namesMetadata(examination: Examination): Promise<Outcome> {
  const challenge = await challengeOf(examination);
  if (!challenge) return skip('There is no challenge to look at.');
  const { resourceMetadata: url } = challenge;
  const expected = 'resource_metadata="https://…/.well-known/oauth-protected-resource/…"';
  if (url === undefined) {
    return warn('It has no resource_metadata, so clients guess where to look.', expected);
  }
  if (!URL.canParse(url)) return fail(`${url} is no absolute URL.`, expected);
  const answer = await examination.ask(url);
  if (answer.status === 200 && answer.json) return pass(`It names ${url}.`);
  return fail(`${url}, which it names, cannot be had: ${said(answer)}.`, '200 and a JSON object');
}

async function mcpCors(examination: Examination): Promise<Outcome> {
  const { url, ask } = examination;
  const refused = preflightProblem(await ask(url, preflight('POST')));
  if (refused) return warn(`In browsers it cannot be called: ${refused}.`);
  const first = await firstCall(examination);
  if (first.status !== 401) return skip('There is no 401 to look at.');
  if (first.header('access-control-allow-origin') === '') {
    return warn('The 401 has no Access-Control-Allow-Origin.');
  }
  const exposed = first.header('access-control-expose-headers').toLowerCase();
  if (exposed.includes('www-authenticate') || exposed.includes('*')) return pass('They may.');
  return warn('WWW-Authenticate of the 401 is not exposed.', 'Access-Control-Expose-Headers');
}
