import { signingAlgorithms } from './jwt.ts';
import type { Settings } from './options.ts';
import type { Refusal } from './refusal.ts';

/** `WWW-Authenticate` for a refused request: which schemes are open to this client, where the metadata is, what to ask for. */
export type ChallengeInput = {
  settings: Pick<Settings, 'dpop' | 'initialScopes'>;
  metadataUrl: string;
  /** The scheme that the client used, if any. */
  scheme: 'Bearer' | 'DPoP' | undefined;
  refusal: Refusal | undefined;
};

/**
 * Builds the challenge (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1). A client that used DPoP is answered in DPoP alone;
 * any other is shown Bearer first, because most clients read only the first scheme.
 */
export function challenge(input: ChallengeInput): string {
  const { dpop } = input.settings;
  const parameters = commonParameters(input);
  const bearer = `Bearer ${[...parameters, ...errorParameters(input.refusal)].join(', ')}`;
  const algs = quoted('algs', signingAlgorithms.join(' '));
  if (dpop === 'off') return bearer;
  if (dpop === 'required' || input.scheme === 'DPoP') {
    return `DPoP ${[...parameters, ...errorParameters(input.refusal), algs].join(', ')}`;
  }
  return `${bearer}, DPoP ${[...parameters, algs].join(', ')}`;
}

function commonParameters({ metadataUrl, refusal, settings }: ChallengeInput): string[] {
  const scopes = refusal?.scopes ?? settings.initialScopes;
  const metadata = quoted('resource_metadata', metadataUrl);
  return scopes.length > 0 ? [metadata, quoted('scope', scopes.join(' '))] : [metadata];
}

function errorParameters(refusal: Refusal | undefined): string[] {
  if (!refusal) return [];
  return [quoted('error', refusal.error), quoted('error_description', refusal.message)];
}

/** The values hold no quote and no backslash: scopes and URLs are checked at start, sentences are our own. */
const quoted = (name: string, value: string) => `${name}="${value}"`;
