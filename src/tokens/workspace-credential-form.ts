import { randomBytes } from 'node:crypto';
import { isCheckedSecret, newCheckedSecret } from './opaque.ts';

/** Crockford's base 32 in lower case: no letter is taken for a digit when it is read out. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const idLength = 12;

/**
 * What a workspace credential looks like, for secret scanners: `<credential-id>.<secret>`. Its last six
 * characters are a CRC-32 of what stands before them.
 */
export const workspaceCredentialPattern =
  /^(wsc_[0-9abcdefghjkmnpqrstvwxyz]{12})\.[0-9A-Za-z]{49}$/;

/**
 * Makes a workspace credential `<credential-id>.<secret>`: a short name that is no secret, 256 random bits, and a
 * CRC-32 over all that stands before it.
 */
export function newWorkspaceCredential(): { id: string; value: string } {
  const id = `wsc_${[...randomBytes(idLength)].map((byte) => alphabet.charAt(byte % 32)).join('')}`;
  return { id, value: newCheckedSecret(`${id}.`) };
}

/**
 * Reads the outside of a workspace credential. Does NOT say that it was ever made.
 *
 * @returns undefined when it has another shape or its checksum is wrong
 */
export function readWorkspaceCredential(text: string): { id: string } | undefined {
  const [, id] = workspaceCredentialPattern.exec(text) ?? [];
  return id !== undefined && isCheckedSecret(text, `${id}.`) ? { id } : undefined;
}
