import { isLoopbackUrl } from './loopback.ts';
import { type Rule, type RuleFinding, when } from './rule.ts';
import type { Config } from './schema.ts';
import { decodeKey, quote } from './values.ts';

const shortestSecret = 32;

/** The secrets of config.example.yaml, which everybody can read. */
export const exampleSecrets: readonly string[] = [
  'replace-me-with-openssl-rand-hex-32',
  'cmVwbGFjZS1tZS13aXRoLTMyLXJhbmRvbS1ieXRlcyE=',
];

/** Rules about the sections that run the server. */
export const serverRules: readonly Rule[] = [
  { reads: ['server.issuer'], check: ({ server }) => issuerFindings(server.issuer) },
  {
    reads: ['server.workers', 'storage.driver'],
    check: ({ server, storage }) =>
      when(server.workers > 1 && storage.driver !== 'postgres', {
        path: ['server', 'workers'],
        problem: 'needs Postgres when it is more than 1',
        fix: 'set storage.driver to postgres, or workers to 1',
        because: 'storage.driver',
      }),
  },
  {
    reads: ['storage.driver', 'storage.postgres.dsn'],
    check: ({ storage }) =>
      when(storage.driver === 'postgres' && !storage.postgres.dsn, {
        path: ['storage', 'postgres', 'dsn'],
        problem: 'is missing',
        fix: `write postgres://user:password@host:5432/database, or \${file:PATH} or \${env:NAME}`,
        because: 'storage.driver',
      }),
  },
  {
    reads: ['server.issuer', 'storage.driver', 'storage.pglite.accept_risk'],
    check: ({ server, storage }) =>
      when(isPublic(server.issuer) && storage.driver === 'pglite' && !storage.pglite.accept_risk, {
        path: ['storage', 'pglite', 'accept_risk'],
        problem:
          'must be true for the embedded database beyond this computer: it does not survive a power cut',
        fix: 'set storage.driver to postgres, or accept_risk to true',
        because: 'server.issuer',
      }),
  },
  {
    reads: ['server.issuer', 'session.secret'],
    check: ({ server, session }) =>
      isPublic(server.issuer) ? sessionSecretFindings(session.secret) : [],
  },
  {
    reads: ['server.issuer', 'data_encryption.key'],
    check: ({ server, data_encryption }) =>
      isPublic(server.issuer) ? encryptionKeyFindings(data_encryption.key) : [],
  },
  {
    reads: ['server.issuer', 'cimd.allow_private_addresses'],
    check: ({ server, cimd }) =>
      when(isPublic(server.issuer) && cimd.allow_private_addresses, {
        path: ['cimd', 'allow_private_addresses'],
        problem: 'would let anybody reach the private network through this server',
        fix: 'set it to false; true needs an issuer on this computer',
        because: 'server.issuer',
      }),
  },
  {
    reads: ['dcr.mode', 'dcr.approved_redirects'],
    check: ({ dcr }) =>
      when(dcr.mode === 'approved_redirects' && dcr.approved_redirects.length === 0, {
        path: ['dcr', 'approved_redirects'],
        problem: 'is empty, so nobody could register',
        fix: 'list the redirect URIs, or choose another dcr.mode',
        because: 'dcr.mode',
      }),
  },
  {
    reads: ['signing.rotate_every', 'signing.publish_before'],
    check: ({ signing }) =>
      when(signing.publish_before >= signing.rotate_every, {
        path: ['signing', 'publish_before'],
        problem: 'must be shorter than signing.rotate_every',
        fix: 'publish the next key later, or rotate less often',
        because: 'signing.rotate_every',
      }),
  },
  {
    reads: ['observability.tracing.enabled', 'observability.tracing.otlp_endpoint'],
    check: ({ observability: { tracing } }) =>
      when(tracing.enabled && !tracing.otlp_endpoint, {
        path: ['observability', 'tracing', 'otlp_endpoint'],
        problem: 'is missing',
        fix: 'write the URL of the collector, or set tracing.enabled to false',
        because: 'observability.tracing.enabled',
      }),
  },
];

function isPublic(issuer: Config['server']['issuer']): boolean {
  return !isLoopbackUrl(issuer);
}

/** RFC 8414 §2: an https URL without query and fragment. Byte-equal everywhere, so only one spelling is good. */
function issuerFindings(issuer: string): RuleFinding[] {
  const finding = (problem: string, fix: string): RuleFinding[] => [
    { path: ['server', 'issuer'], problem: `${quote(issuer)} ${problem}`, fix },
  ];
  if (!/^https?:\/\//i.test(issuer) || !URL.canParse(issuer)) {
    return finding('is not an http or https URL', 'write it as https://auth.example.com');
  }
  const url = new URL(issuer);
  if (url.username || url.password) return finding('holds a user name or password', 'remove them');
  if (issuer.includes('?')) return finding('has a query', 'remove it from the ?');
  if (issuer.includes('#')) return finding('has a fragment', 'remove it from the #');
  if (url.protocol === 'http:' && !isLoopbackUrl(issuer)) {
    return finding(
      'is http, so tokens could be read on the way',
      `write https://${url.host}${url.pathname.replace(/\/+$/, '')}`,
    );
  }
  const canonical = url.href.replace(/\/+$/, '');
  if (issuer.endsWith('/')) return finding('ends with a slash', `write ${canonical}`);
  return issuer === canonical ? [] : finding('is not spelled canonically', `write ${canonical}`);
}

function sessionSecretFindings(secret: string | undefined): RuleFinding[] {
  const finding = (problem: string): RuleFinding[] => [
    {
      path: ['session', 'secret'],
      problem,
      fix: 'make one with: openssl rand -hex 32',
      because: 'server.issuer',
    },
  ];
  if (secret === undefined) return finding('is required once the issuer is not on this computer');
  if (exampleSecrets.includes(secret)) return finding('is the example value');
  if (secret.length < shortestSecret)
    return finding(`is shorter than ${shortestSecret} characters`);
  return new Set(secret).size < 8 ? finding('is easy to guess') : [];
}

function encryptionKeyFindings(key: string | undefined): RuleFinding[] {
  const finding = (problem: string): RuleFinding[] => [
    {
      path: ['data_encryption', 'key'],
      problem,
      fix: 'make one with: openssl rand -base64 32',
      because: 'server.issuer',
    },
  ];
  if (key === undefined) return finding('is required once the issuer is not on this computer');
  if (exampleSecrets.includes(key)) return finding('is the example value');
  return new Set(decodeKey(key)).size < 8 ? finding('is easy to guess') : [];
}
