import type { Settings } from './options.ts';
import { isRecord } from './record.ts';

/** The JSON-RPC messages of a body: one, or those of a batch. */
export const messagesOf = (body: unknown): unknown[] => (Array.isArray(body) ? body : [body]);

/**
 * All scopes that a JSON-RPC body needs: the union over every `tools/call` in it, batches included. What is no
 * `tools/call` needs none; whether it is a sound message is for the MCP server to say.
 */
export function neededScopes(body: unknown, toolScopes: Settings['toolScopes']): string[] {
  return [...new Set(calledTools(body).flatMap((name) => toolScopes.get(name) ?? []))];
}

/** The first tool called in a body that the table does not have, if any; a call without a name is one of `''`. */
export function unlistedTool(
  body: unknown,
  toolScopes: Settings['toolScopes'],
): string | undefined {
  return calledTools(body).find((name) => !toolScopes.has(name));
}

/** The names of the tools that are called; `''` where the name is missing or no text. */
function calledTools(body: unknown): string[] {
  return messagesOf(body).flatMap((message) => {
    if (!isRecord(message) || message.method !== 'tools/call') return [];
    const name = isRecord(message.params) ? message.params.name : undefined;
    return [typeof name === 'string' ? name : ''];
  });
}

/** The granted scopes with all that they include, transitively. */
export function effectiveScopes(
  granted: readonly string[],
  implies: Settings['implies'],
): string[] {
  const effective = new Set(granted);
  // A Set visits what is added during the walk, so this follows the whole hierarchy and ends on cycles.
  for (const scope of effective) {
    for (const included of implies.get(scope) ?? []) effective.add(included);
  }
  return [...effective];
}
