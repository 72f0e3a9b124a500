import { FileProblem } from './problem.ts';

/**
 * The text in these bytes.
 * @throws FileProblem unless they are UTF-8 without NUL
 */
export function decodeText(bytes: Uint8Array): string {
  const text = textIn(bytes);
  if (text !== undefined) return text;
  throw new FileProblem('The file is binary or not UTF-8; read_file with encoding base64 reads it');
}

/** The text in these bytes; undefined when they are none. A byte order mark stays where it is. */
export function textIn(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The bytes of a text. @throws FileProblem when it is not valid Unicode */
export function encodeText(text: string): Buffer {
  if (!text.isWellFormed()) throw new FileProblem('The text holds half a surrogate pair');
  return Buffer.from(text, 'utf8');
}

/** The bytes that base64 stands for. @throws FileProblem when it is not base64 */
export function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  const plain = text.replace(/\s/g, '').replace(/=+$/, '');
  if (bytes.toString('base64').replace(/=+$/, '') === plain) return bytes;
  throw new FileProblem('The content is not base64 (RFC 4648 section 4)');
}
