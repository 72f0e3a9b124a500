import type { Exchange } from './traffic.ts';

/** @throws with `problem` unless the condition holds; a step prints it. */
export function check(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem);
}

/** The first exchange that is wanted; throws, with `name`, when there is none. */
export function find(
  exchanges: readonly Exchange[],
  wanted: (exchange: Exchange) => boolean,
  name: string,
): Exchange {
  const found = exchanges.find(wanted);
  if (!found) throw new Error(`Nothing like ${name} was sent.`);
  return found;
}

export function isTokenRequest({ method, url }: Exchange): boolean {
  return method === 'POST' && url.pathname.endsWith('/oauth/token');
}

/** The calls about tools that were answered. */
export function answeredToolCalls(exchanges: readonly Exchange[]): Exchange[] {
  return exchanges.filter(
    ({ requestBody, status }) => requestBody.includes('"tools/') && status === 200,
  );
}
