import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomLength = 43; // 62^43 > 2^256
const checksumLength = 6; // 62^6 > 2^32
const shape = /^([a-z][a-z0-9]*)_(oat|pat)_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;

/** What an opaque token is: an OAuth access token or a personal access token. */
export type OpaqueKind = 'oat' | 'pat';

/**
 * Makes an opaque token `<prefix>_<kind>_<random><checksum>`: 256 random bits, and a CRC-32 over all
 * that stands before it, so that secret scanners and typing errors are caught offline.
 *
 * @param prefix the resource's `token_prefix`: lower-case letters and digits
 */
export function newOpaqueToken(prefix: string, kind: OpaqueKind): string {
  return newCheckedSecret(`${prefix}_${kind}_`);
}

/**
 * Makes a secret of the same form, `<start><random><checksum>`, for what is no access token.
 *
 * @param start tells scanners and readers what it is: letters, digits and `_`
 */
export function newCheckedSecret(start: string): string {
  const body = start + randomText();
  return body + checksum(body);
}

/** Whether a text has the form of {@link newCheckedSecret}. Does NOT say that it was ever made. */
export function isCheckedSecret(text: string, start: string): boolean {
  const rest = text.startsWith(start) ? text.slice(start.length) : '';
  return /^[0-9A-Za-z]{49}$/.test(rest) && hasChecksum(text);
}

/**
 * Reads the outside of an opaque token. Does NOT say that it was ever issued.
 *
 * @returns undefined when it has another shape or its checksum is wrong
 */
export function readOpaqueToken(token: string): { prefix: string; kind: OpaqueKind } | undefined {
  const [, prefix, kind] = shape.exec(token) ?? [];
  if (!prefix || (kind !== 'oat' && kind !== 'pat')) return undefined;
  return hasChecksum(token) ? { prefix, kind } : undefined;
}

function hasChecksum(token: string): boolean {
  return checksum(token.slice(0, -checksumLength)) === token.slice(-checksumLength);
}

function randomText(): string {
  return base62(BigInt(`0x${randomBytes(32).toString('hex')}`), randomLength);
}

function checksum(body: string): string {
  return base62(BigInt(crc32(body)), checksumLength);
}

function base62(value: bigint, length: number): string {
  let rest = value;
  let text = '';
  while (text.length < length) {
    text = alphabet.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}
