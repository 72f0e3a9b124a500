const longest = 1000;

/**
 * Whether a text may be stored and shown: no NUL or other control character (which Postgres or a
 * header would choke on) and no lone surrogate. Says nothing about length, markup or look-alikes.
 */
export function isCleanText(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}

/**
 * Makes a text fit for `error_description`: printable ASCII without quote and backslash
 * (RFC 6749 §5.2), at most 1,000 characters.
 */
export function safeDescription(text: string): string {
  return text
    .slice(0, longest)
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replaceAll(/[^\x20-\x7e]/g, '?');
}
