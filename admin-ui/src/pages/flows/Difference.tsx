import type { Answer } from '../../api/types.ts';
import { plainText, shorten } from '../../parts/foreign.ts';
import styles from './flows.module.css';

type Step = Answer<'flows', 'get'>['steps'][number];
const longest = 600;

/** What was sent against what would have been accepted; the part that differs is marked. */
export function Difference({ difference }: { difference: Step['differences'][number] }) {
  const { what, sent, expected } = difference;
  const clean = sent === null ? null : shorten(plainText(sent), longest);
  return (
    <dl className={styles.diff}>
      <dt>{plainText(what)} sent</dt>
      <dd>{clean === null ? 'nothing' : <Marked text={clean} nearest={expected[0]} />}</dd>
      {expected.map((value, index) => (
        <Expected key={value} value={value} first={index === 0} />
      ))}
    </dl>
  );
}

function Expected({ value, first }: { value: string; first: boolean }) {
  return (
    <>
      <dt>{first ? 'expected' : 'or'}</dt>
      <dd>
        <bdi>{shorten(plainText(value), longest)}</bdi>
      </dd>
    </>
  );
}

function Marked({ text, nearest }: { text: string; nearest: string | undefined }) {
  if (nearest === undefined) return <mark>{text}</mark>;
  const [from, to] = differing(text, nearest);
  if (from === to) return <bdi>{text}</bdi>;
  return (
    <bdi>
      {text.slice(0, from)}
      <mark>{text.slice(from, to)}</mark>
      {text.slice(to)}
    </bdi>
  );
}

const inWord = (text: string, at: number) => /^\w\w$/.test(text.slice(at - 1, at + 1));

/** Where two texts differ, by whole words: after their common beginning, before their common end. */
export function differing(text: string, other: string): [from: number, to: number] {
  const shorter = Math.min(text.length, other.length);
  let from = 0;
  while (from < shorter && text[from] === other[from]) from += 1;
  let end = 0;
  while (end < shorter - from && text.at(-1 - end) === other.at(-1 - end)) end += 1;
  if (from === text.length && text.length === other.length) return [from, from];
  while (from > 0 && (inWord(text, from) || inWord(other, from))) from -= 1;
  while (end > 0 && inWord(text, text.length - end)) end -= 1;
  return [from, Math.max(from, text.length - end)];
}
