/** What an event is found by: its time in microseconds since 1970 and its number, which are its key. */
export interface EventPlace {
  number: bigint;
  micros: bigint;
}

/** The id of an event outside of the database, such as `1769350000000000-42`. */
export function eventKey({ number, micros }: EventPlace): string {
  return `${micros}-${number}`;
}

/** @returns undefined where the text is no id of an event */
export function readEventKey(key: string): EventPlace | undefined {
  const [, micros, number] = /^(-?\d{1,18})-(\d{1,18})$/.exec(key) ?? [];
  if (micros === undefined || number === undefined) return undefined;
  return { micros: BigInt(micros), number: BigInt(number) };
}
