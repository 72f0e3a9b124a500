/** The operator must do something before keys can be used; the message says what. */
export class KeysStartError extends Error {
  override readonly name = 'KeysStartError';
}
