const spelled: Readonly<Record<string, string>> = { api: 'API', mcp: 'MCP', dpop: 'DPoP' };

/** `token_issued` as one says it: `Token issued`. */
export function eventName(type: string): string {
  const words = type
    .split('_')
    .map((word) => spelled[word] ?? word)
    .join(' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
