import { plainText } from './foreign.ts';

/** A sentence of ours in which names stand between backticks, as in Markdown. */
export function Prose({ text }: { text: string }) {
  let at = 0;
  return plainText(text)
    .split('`')
    .map((piece, index) => {
      at += piece.length + 1;
      return index % 2 === 1 ? <code key={at}>{piece}</code> : piece;
    });
}
