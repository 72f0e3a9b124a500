import type { z } from 'zod';
import type { contract } from '../../../src/admin/contract/index.ts';

type Contract = typeof contract;
type Member<T, K extends string> = T extends Record<K, infer M> ? M : never;

/** A noun of the admin API, such as `grants`. */
export type Noun = keyof Contract;
/** What can be done with a noun, as the contract calls it, such as `resetLink`. */
export type Verb<N extends Noun> = keyof Contract[N] & string;

type Input<N extends Noun, V extends Verb<N>, K extends 'params' | 'query' | 'body'> =
  Member<Contract[N][V], K> extends z.ZodType ? z.input<Member<Contract[N][V], K>> : never;

/** What a call sends. */
export interface Sent<N extends Noun, V extends Verb<N>> {
  params?: Input<N, V, 'params'>;
  query?: Partial<Input<N, V, 'query'>>;
  body?: Input<N, V, 'body'>;
  /** `version` of the row that was edited, so that nobody's change is lost. */
  ifMatch?: string | number;
  signal?: AbortSignal;
}

/** What a call answers. */
export type Answer<N extends Noun, V extends Verb<N>> =
  Member<Contract[N][V], 'answer'> extends z.ZodType
    ? z.output<Member<Contract[N][V], 'answer'>>
    : never;

/** Body of a call. */
export type Body<N extends Noun, V extends Verb<N>> = Input<N, V, 'body'>;

/** Nouns that have a list. */
export type ListNoun = { [N in Noun]: 'list' extends Verb<N> ? N : never }[Noun];

/** A row of a list. */
export type Row<N extends ListNoun> = Contract[N] extends { list: { answer: infer A } }
  ? A extends z.ZodType<{ items: (infer R)[] }>
    ? R
    : never
  : never;

/** Filters of a list, by name. */
export type ListQuery<N extends ListNoun> = Contract[N] extends { list: { query: infer Q } }
  ? Q extends z.ZodType
    ? Partial<z.input<Q>>
    : never
  : never;

export type Session = Answer<'session', 'get'>;
