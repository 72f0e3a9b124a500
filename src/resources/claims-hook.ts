import type { StoredClaimsHook } from '../db/index.ts';
import { type SecretBox, SecretBoxError } from '../keys/index.ts';

/** Who is asked for further claims, and how: `resources[].claims_hook` of the configuration. */
export interface ClaimsHook {
  url: string;
  secret: string;
  /** Seconds. */
  timeout: number;
  on_failure: 'deny' | 'skip';
}

/** The hook as it is stored: its secret is sealed for this resource and opens for no other. */
export function sealHook(box: SecretBox, uri: string, hook: ClaimsHook): StoredClaimsHook {
  const { secret, ...rest } = hook;
  return { ...rest, sealed: box.seal(secret, contextOf(uri)) };
}

/**
 * The secret of a stored hook.
 *
 * @returns undefined when it was sealed under another data-encryption key or for another resource
 */
export function hookSecret(
  box: SecretBox,
  { uri, claimsHook }: { uri: string; claimsHook?: StoredClaimsHook },
): string | undefined {
  if (!claimsHook) return undefined;
  try {
    return box.open(claimsHook.sealed, contextOf(uri));
  } catch (error) {
    if (error instanceof SecretBoxError) return undefined;
    throw error;
  }
}

/** The stored hook with its secret; one that does not open has an empty secret, which no declared one has. */
export function openHook(box: SecretBox, uri: string, stored: StoredClaimsHook): ClaimsHook {
  const { sealed: _sealed, ...rest } = stored;
  return { ...rest, secret: hookSecret(box, { uri, claimsHook: stored }) ?? '' };
}

function contextOf(uri: string): string {
  return `claims_hook:${uri}`;
}
