import { type SecretBox, SecretBoxError } from '../keys/index.ts';
import type { ProviderColumns } from './identity-providers-policy.ts';
import type { ProviderRow, ProviderRowColumns } from './identity-providers-queries.ts';

/** Bound to the issuer: a secret is never sent to another one than it was given for. */
const contextOf = ({ slug, issuer }: { slug: string; issuer: string }) =>
  `identity_provider:${slug}:${issuer}`;

/** A provider as it is stored. */
export function sealedRow(box: SecretBox, columns: ProviderColumns): ProviderRowColumns {
  const { client_secret: secret, ...row } = columns;
  const sealed = secret === undefined ? null : box.seal(secret, contextOf(columns));
  return { ...row, client_secret_sealed: sealed };
}

/** A stored provider with its secret in the clear; one that does not open is none. */
export function storedProvider(box: SecretBox, row: ProviderRow): ProviderColumns {
  const { slug, issuer, client_id, display_name, settings } = row;
  const columns = { slug, issuer, client_id, display_name, settings };
  try {
    return { ...columns, client_secret: openSecret(box, row) };
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error;
    return { ...columns, client_secret: undefined };
  }
}

/** @throws SecretBoxError when the data-encryption key is another one than it was sealed with */
export function openSecret(
  box: SecretBox,
  row: { slug: string; issuer: string; client_secret_sealed: string | null },
): string | undefined {
  const { client_secret_sealed: sealed } = row;
  return sealed === null ? undefined : box.open(sealed, contextOf(row));
}
