/** What a detail field of an audit event holds; the TypeScript type and the reference page come from it. */
export interface Field {
  readonly type: keyof FieldValues;
  readonly description: string;
  readonly optional: boolean;
}

interface FieldValues {
  text: string;
  number: number;
  flag: boolean;
  list: readonly string[];
  /** ISO 8601 in UTC once it is stored. */
  time: Date;
  changes: readonly Change[];
}

/** One changed member of a row or document: what it was and what it is. */
export interface Change {
  readonly field: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

export type Fields = Readonly<Record<string, Field>>;

type OptionalNames<F extends Fields> = {
  [N in keyof F]: F[N]['optional'] extends true ? N : never;
}[keyof F];

/** The object that satisfies a table of fields. */
export type DetailOf<F extends Fields> = {
  readonly [N in Exclude<keyof F, OptionalNames<F>>]: FieldValues[F[N]['type']];
} & {
  readonly [N in OptionalNames<F>]?: FieldValues[F[N]['type']] | undefined;
};

function required<T extends Field['type']>(type: T) {
  return (description: string) => ({ type, description, optional: false }) as const;
}

export const text = required('text');
export const number = required('number');
export const flag = required('flag');
export const list = required('list');
export const time = required('time');
export const changes = required('changes');

/** The same field, which an event may leave out. */
export function optional<T extends Field['type']>({ type, description }: Field & { type: T }) {
  return { type, description, optional: true } as const;
}

/** One type of event: what it tells, and what its detail holds. */
export function event<const F extends Fields>(description: string, detail: F) {
  return { description, detail };
}
