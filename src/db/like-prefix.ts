/**
 * The pattern of LIKE that finds what begins with a text that somebody typed, in lower case. An index with
 * text_pattern_ops serves it. Attack: `%` and `_`, which would match anything.
 */
export function likePrefix(typed: string): string {
  const text = typed.toLowerCase().replaceAll('\0', '').toWellFormed();
  return `${text.replace(/[\\%_]/g, '\\$&')}%`;
}
