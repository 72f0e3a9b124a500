import type {
  DailyCapOptions,
  DpopMode,
  DpopNonceOptions,
  IntrospectionOptions,
  IntrospectionSettings,
} from './options.ts';
import { isRecord } from './record.ts';

/** The options of introspection with the defaults filled in; they hold no problems. */
export function introspectionSettings(options: IntrospectionOptions): IntrospectionSettings {
  const { clientId, clientSecret = '', privateKey } = options;
  return {
    clientId,
    credential: privateKey
      ? { kind: 'key', jwk: privateKey }
      : { kind: 'secret', secret: clientSecret },
    cacheSeconds: options.cacheSeconds ?? 0,
    jwts: options.jwts ?? false,
    timeoutSeconds: options.timeoutSeconds ?? 5,
  };
}

/** What is wrong with `introspection`. Secrets are not repeated. */
export function introspectionProblems(options: unknown): string[] {
  if (options === undefined) return [];
  if (!isRecord(options)) return ['introspection: must be an object with clientId'];
  const { clientId, cacheSeconds = 0, timeoutSeconds = 5, jwts = false } = options;
  const problems = unknownMembers('introspection', options, introspectionMembers);
  if (typeof clientId !== 'string' || clientId === '') {
    problems.push('introspection.clientId: the client_id of this MCP server at the issuer');
  }
  if (!isBetween(cacheSeconds, 0, 5)) problems.push('introspection.cacheSeconds: 0 to 5');
  if (!isBetween(timeoutSeconds, 0.001, 60)) {
    problems.push('introspection.timeoutSeconds: above 0 and at most 60');
  }
  if (typeof jwts !== 'boolean') problems.push('introspection.jwts: true or false');
  return [...problems, ...credentialProblems(options)];
}

const introspectionMembers: Record<keyof IntrospectionOptions, true> = {
  clientId: true,
  clientSecret: true,
  privateKey: true,
  cacheSeconds: true,
  jwts: true,
  timeoutSeconds: true,
};

function credentialProblems({ clientSecret, privateKey }: Record<string, unknown>): string[] {
  if ((clientSecret === undefined) === (privateKey === undefined)) {
    return ['introspection: give clientSecret or privateKey (an empty environment variable?)'];
  }
  if (privateKey === undefined) {
    const given = typeof clientSecret === 'string' && clientSecret !== '';
    return given ? [] : ['introspection.clientSecret: must be text, and not empty'];
  }
  if (!isRecord(privateKey) || typeof privateKey.d !== 'string') {
    return ['introspection.privateKey: must be a private JWK'];
  }
  if (typeof privateKey.alg === 'string') return [];
  return ['introspection.privateKey: its alg is missing, for example ES256'];
}

/** What is wrong with `dailyCap`. */
export function capProblems(options: DailyCapOptions | undefined): string[] {
  if (options === undefined) return [];
  if (!isRecord(options)) return ['dailyCap: must be an object with limit and store'];
  const problems = unknownMembers('dailyCap', options, { limit: true, store: true });
  if (!Number.isSafeInteger(options.limit) || options.limit < 1) {
    problems.push('dailyCap.limit: a whole number of calls above 0');
  }
  if (!isRecord(options.store) || typeof options.store.increment !== 'function') {
    problems.push('dailyCap.store: must have increment(key, expiresAt), as memoryCapStore() has');
  }
  return problems;
}

/** What is wrong with `dpopNonce`. */
export function nonceProblems(
  options: DpopNonceOptions | undefined,
  dpop: DpopMode | undefined,
): string[] {
  if (options === undefined) return [];
  if (!isRecord(options)) return ['dpopNonce: must be an object with secret'];
  const problems = unknownMembers('dpopNonce', options, { secret: true, lifetime: true });
  const { secret, lifetime = 300 } = options;
  if (typeof secret !== 'string' || secret.length < 32) {
    problems.push('dpopNonce.secret: 32 characters or more');
  }
  if (!isBetween(lifetime, 1, 86_400)) problems.push('dpopNonce.lifetime: 1 to 86400 seconds');
  if (dpop === 'off') problems.push('dpopNonce: has no use where dpop is off');
  return problems;
}

const isBetween = (value: unknown, least: number, most: number) =>
  typeof value === 'number' && value >= least && value <= most;

function unknownMembers(
  option: string,
  given: Record<string, unknown>,
  known: Record<string, true>,
): string[] {
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `${option}.${name}: no such option; there are ${Object.keys(known).join(', ')}`);
}
