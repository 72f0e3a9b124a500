/** What a token looks like. Does NOT say that it was ever issued. */
export type TokenShape = 'jwt' | 'opaque' | 'credential' | 'unknown';

const jwt = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
// <prefix>_oat_… and <prefix>_pat_…
const opaque = /^[a-z][a-z0-9]*_(oat|pat)_[0-9A-Za-z]{49}$/;
// <credential-id>.<secret>
const credential = /^wsc_[0-9a-z]{12}\.[0-9A-Za-z]{49}$/;

/**
 * Reads the outside of a token, so that what cannot be one of the authorization server is refused here and not sent to it:
 * garbage would load it, and a token of somebody else is none of its business.
 */
export function tokenShape(token: string): TokenShape {
  if (jwt.test(token)) return 'jwt';
  const shape = opaque.test(token) ? 'opaque' : credential.test(token) ? 'credential' : 'unknown';
  return hasChecksum(token) ? shape : 'unknown';
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const checksumLength = 6;

/** The authorization server ends its opaque tokens with the CRC-32 of all that stands before, in base 62. */
export function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  while (digits.length < checksumLength) {
    digits = alphabet.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

const hasChecksum = (token: string) =>
  checksum(token.slice(0, -checksumLength)) === token.slice(-checksumLength);

function crc32(text: string): number {
  let crc = 0xff_ff_ff_ff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xed_b8_83_20 : crc >>> 1;
  }
  return ~crc >>> 0;
}
