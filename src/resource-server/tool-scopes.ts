import type { Settings } from './options.ts';
import { isRecord } from './record.ts';

/**
 * All scopes that a JSON-RPC body needs: the union over every `tools/call` in it, batches included. What is no
 * `tools/call` needs none; whether it is a sound message is for the MCP server to say.
 */
export function neededScopes(body: unknown, toolScopes: Settings['toolScopes']): string[] {
  const messages: unknown[] = Array.isArray(body) ? body : [body];
  return [...new Set(messages.flatMap((message) => toolScopes.get(calledTool(message)) ?? []))];
}

function calledTool(message: unknown): string {
  if (!isRecord(message) || message.method !== 'tools/call' || !isRecord(message.params)) return '';
  return typeof message.params.name === 'string' ? message.params.name : '';
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
