/** The alphabet of user codes: no vowels, so no words; nothing that looks like something else (RFC 8628 §6.1). */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ';
const length = 8;

/** Where the library is told how user codes look: 20^8 of them. */
export const userCodeShape = { charset: 'base-20', mask: '****-****' } as const;

/** Seconds that a device may wait for its person. */
export const deviceCodeLifetime = 600;

/**
 * A typed user code as it is compared: upper case, without separators (RFC 8628 §6.1).
 *
 * @returns undefined for what cannot be one
 */
export function readUserCode(typed: string): string | undefined {
  const code = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{P}]/gu, '');
  return code.length === length && [...code].every((one) => alphabet.includes(one))
    ? code
    : undefined;
}

/** A user code as people read it. */
export function showUserCode(code: string): string {
  return `${code.slice(0, length / 2)}-${code.slice(length / 2)}`;
}
