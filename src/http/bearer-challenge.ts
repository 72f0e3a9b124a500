/** A `Bearer` challenge (RFC 6750 §3) as MCP clients read it. */
export interface Challenge {
  /** `resource_metadata` (RFC 9728 §5.1). */
  resourceMetadata?: string;
  scope?: string;
  error?: string;
}

/** Reads the first Bearer challenge of a `WWW-Authenticate` header. @returns undefined where there is none */
export function readChallenge(header: string): Challenge | undefined {
  const start = /(?:^|[,\s])bearer(?=[\s,]|$)/i.exec(header);
  if (!start) return undefined;
  const rest = header.slice(start.index + start[0].length);
  const [own = ''] = rest.split(/,\s*(?:DPoP|Basic|Digest)\s/i);
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain] of own.matchAll(
    /([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi,
  )) {
    found.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '');
  }
  const metadata = found.get('resource_metadata');
  const scope = found.get('scope');
  const error = found.get('error');
  return {
    ...(metadata !== undefined && { resourceMetadata: metadata }),
    ...(scope !== undefined && { scope }),
    ...(error !== undefined && { error }),
  };
}
