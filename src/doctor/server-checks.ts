import { wellKnownPath } from '../oauth/index.ts';
import { type Check, type Examination, fail, type Outcome, pass, skip, warn } from './finding.ts';
import { isThisComputer } from './places.ts';
import { type Answer, said } from './probe.ts';

const browsers = ['MCP Inspector 1.x', 'web apps'];
const foreign = { origin: 'https://client.example' };

/** Where the metadata of this server is (RFC 8414 §3). */
export function metadataUrl(issuer: string): string {
  return new URL(wellKnownPath('oauth-authorization-server', issuer).inserted, issuer).href;
}

const metadata = ({ issuer, ask }: Examination): Promise<Answer> => ask(metadataUrl(issuer));

async function member(examination: Examination, name: string): Promise<unknown> {
  return (await metadata(examination)).json?.[name];
}

async function list(examination: Examination, name: string): Promise<unknown[]> {
  const value = await member(examination, name);
  return Array.isArray(value) ? value : [];
}

/** This server, as clients see it from outside. */
export const serverChecks: readonly Check[] = [
  {
    id: 'issuer_secure',
    group: 'server',
    title: 'The issuer is https, or on this computer',
    clients: ['Claude.ai', 'ChatGPT', 'every client on another computer'],
    fix: 'Put a reverse proxy with TLS in front (docs/reverse-proxies.md) and set server.issuer to its https URL before the first client connects.',
    async run({ issuer, url }) {
      if (issuer.startsWith('https:')) return pass(`The issuer is ${issuer}.`);
      if (isThisComputer(issuer) && (url === '' || isThisComputer(url))) {
        return pass(`The issuer ${issuer} is good for clients on this computer only.`);
      }
      if (isThisComputer(issuer)) {
        return fail(`Nobody but this computer reaches the issuer ${issuer}.`, 'an https URL');
      }
      return fail(`The issuer ${issuer} is not https.`, 'an https URL');
    },
  },
  {
    id: 'issuer_reachable',
    group: 'server',
    title: 'The metadata of the issuer can be had',
    clients: [],
    fix: 'Check server.issuer, its DNS name, its certificate, and that the reverse proxy passes /.well-known/ on to this server.',
    async run(examination) {
      const answer = await metadata(examination);
      const url = metadataUrl(examination.issuer);
      if (answer.status === 200 && answer.json) return pass(`${url} answers.`);
      return fail(`${url} cannot be had: ${said(answer)}.`, '200 and a JSON object');
    },
  },
  {
    id: 'issuer_echo',
    group: 'server',
    title: 'The metadata names the issuer byte for byte',
    clients: ['TypeScript SDK v2', 'VS Code', 'ChatGPT'],
    fix: 'Something else answers at this address, or the proxy rewrites bodies: make sure that it is this server with this configuration.',
    async run(examination) {
      const named = await member(examination, 'issuer');
      if (named === undefined) return skip('There is no metadata to read.');
      if (named === examination.issuer) return pass('The issuer is the same everywhere.');
      return fail(`The metadata names the issuer ${String(named)}.`, examination.issuer);
    },
  },
  {
    id: 'metadata_variants',
    group: 'server',
    title: 'The metadata is at every place where clients look',
    clients: ['VS Code', 'TypeScript SDK v1', 'Claude.ai'],
    fix: 'Let the reverse proxy pass all of /.well-known/ at the root of the host and below the path of the issuer on to this server.',
    run: allVariants,
  },
  {
    id: 'pkce_s256',
    group: 'server',
    title: 'PKCE with S256 is advertised',
    clients: [],
    fix: 'This server always advertises it: see whether another server answers at the issuer.',
    async run(examination) {
      const methods = await list(examination, 'code_challenge_methods_supported');
      if (methods.includes('S256')) return pass('S256 is advertised.');
      return fail(
        'code_challenge_methods_supported has no S256, so clients refuse to go on.',
        'S256',
      );
    },
  },
  {
    id: 'cimd_advertised',
    group: 'server',
    title: 'Client metadata documents are advertised, together with the method none',
    clients: ['Claude Code', 'Claude.ai', 'ChatGPT', 'VS Code', 'OpenCode'],
    fix: 'Set cimd.enabled: true. Without it these clients register a new client at every connection.',
    async run(examination) {
      const flag = await member(examination, 'client_id_metadata_document_supported');
      const methods = await list(examination, 'token_endpoint_auth_methods_supported');
      if (flag === true && methods.includes('none')) return pass('Both are advertised.');
      return warn(
        'They are not advertised, so clients register themselves (RFC 7591) instead.',
        'client_id_metadata_document_supported: true, and none among the methods',
      );
    },
  },
  {
    id: 'registration_mode',
    group: 'server',
    title: 'Clients without a metadata document can register',
    clients: ['Cursor', 'Gemini CLI', 'MCP Inspector', 'mcp-remote'],
    fix: 'Set dcr.mode: open, or make a client for each of them and paste its client_id.',
    run: registrationMode,
  },
  {
    id: 'endpoints',
    group: 'server',
    title: 'The endpoints of the metadata lead to this server',
    clients: [],
    fix: 'Let the reverse proxy pass everything below the issuer on to this server, with methods and bodies.',
    run: endpointsAnswer,
  },
  {
    id: 'jwks',
    group: 'server',
    title: 'The signing keys can be had',
    clients: [],
    fix: 'Let the reverse proxy pass /.well-known/jwks.json on to this server.',
    async run(examination) {
      const uri = await member(examination, 'jwks_uri');
      if (typeof uri !== 'string') return skip('There is no metadata to read.');
      const answer = await examination.ask(uri);
      const keys = answer.json?.keys;
      if (Array.isArray(keys) && keys.length > 0) return pass(`${keys.length} keys are published.`);
      return fail(`${uri} has no keys: ${said(answer)}.`, 'a JSON object with keys');
    },
  },
  {
    id: 'server_cors',
    group: 'server',
    title: 'Scripts of other origins may read metadata and call the endpoints',
    clients: browsers,
    fix: 'Let the reverse proxy pass OPTIONS on, and neither add nor remove Access-Control-Allow-Origin.',
    run: serverCors,
  },
  {
    id: 'clock',
    group: 'server',
    title: 'The clock is right',
    clients: [],
    fix: 'Switch time synchronisation (NTP) on.',
    async run(examination) {
      return clockOf(await metadata(examination), examination);
    },
  },
];

/** Judges the clock of whoever answered by its `Date` header. */
export function clockOf(answer: Answer, { now }: Examination): Outcome {
  const date = Date.parse(answer.header('date'));
  if (Number.isNaN(date)) return skip('The answer has no Date.');
  const skew = Math.abs(date - now().getTime()) / 1000;
  const words = `It is ${Math.round(skew)} s off.`;
  if (skew <= 10) return pass('It agrees with ours.');
  return skew <= 60 ? warn(words, 'at most 10 s') : fail(words, 'at most 10 s');
}

async function allVariants(examination: Examination): Promise<Outcome> {
  const { issuer, ask } = examination;
  const names = ['oauth-authorization-server', 'openid-configuration'];
  const paths = names.flatMap((name) => Object.values(wellKnownPath(name, issuer)));
  const urls = [...new Set(paths)].map((path) => new URL(path, issuer).href);
  const answers = await Promise.all(urls.map(async (url) => ({ url, answer: await ask(url) })));
  const wrong = answers.filter(({ answer }) => answer.json?.issuer !== issuer);
  if (wrong.length === 0) return pass(`All ${urls.length} places have it.`);
  const where = wrong.map(({ url, answer }) => `${url} (${said(answer)})`).join(', ');
  return fail(`It is missing at: ${where}.`, `the same document at all ${urls.length} places`);
}

async function registrationMode({ config }: Examination): Promise<Outcome> {
  const { mode, approved_redirects: approved } = config.dcr;
  if (mode === 'open') return pass('dcr.mode is open.');
  if (mode === 'approved_redirects') {
    return warn(
      `Only ${approved.length} redirect URIs are approved; the checks of the clients below say who is refused.`,
      'the redirect URIs of every client that people shall use',
      'Add the redirect URIs of the clients that people shall use to dcr.approved_redirects.',
    );
  }
  return warn(`dcr.mode is ${mode}: clients cannot register themselves.`, 'open');
}

async function endpointsAnswer(examination: Examination): Promise<Outcome> {
  const names = ['authorization_endpoint', 'token_endpoint', 'registration_endpoint'];
  const base = examination.issuer.replace(/\/$/, '');
  for (const name of names) {
    const url = await member(examination, name);
    if (typeof url !== 'string') {
      if (name === 'registration_endpoint') continue;
      return skip('There is no metadata to read.');
    }
    if (!url.startsWith(`${base}/`)) return fail(`${name} is ${url}.`, `a URL below ${base}`);
    const answer = await examination.ask(url, { method: 'OPTIONS', headers: foreign });
    if (answer.status === 0 || answer.status >= 300) {
      return fail(`${name} ${url} does not lead to this server: ${said(answer)}.`);
    }
  }
  return pass('Each leads here.');
}

async function serverCors(examination: Examination): Promise<Outcome> {
  const { issuer, ask } = examination;
  const preflights = [
    [metadataUrl(issuer), 'GET'],
    [await member(examination, 'token_endpoint'), 'POST'],
    [await member(examination, 'registration_endpoint'), 'POST'],
  ] as const;
  for (const [url, method] of preflights) {
    if (typeof url !== 'string') continue;
    const refused = preflightProblem(await ask(url, preflight(method)));
    if (refused) return fail(`${url}: ${refused}.`, 'Access-Control-Allow-Origin: *');
  }
  return pass('Preflights are answered.');
}

/** The question of a browser before it sends what MCP clients send. */
export function preflight(method: 'GET' | 'POST') {
  const headers = {
    ...foreign,
    'access-control-request-method': method,
    'access-control-request-headers': 'authorization, content-type, mcp-protocol-version',
  };
  return { method: 'OPTIONS', headers } as const;
}

/** What is wrong with the answer to a preflight. */
export function preflightProblem(answer: Answer): string | undefined {
  if (answer.status < 200 || answer.status >= 300) return `the preflight failed, ${said(answer)}`;
  const origin = answer.header('access-control-allow-origin');
  if (origin !== '*' && origin !== foreign.origin) return 'no other origin is allowed';
  const headers = answer.header('access-control-allow-headers').toLowerCase();
  const missing = ['authorization', 'content-type', 'mcp-protocol-version'].filter(
    (name) => !headers.includes(name),
  );
  return missing.length === 0 ? undefined : `the headers ${missing.join(', ')} are not allowed`;
}
