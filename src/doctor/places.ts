import { isLoopbackUrl } from '../config/index.ts';

/** Whether only programs on this computer can reach a URL. */
export function isThisComputer(url: string): boolean {
  return isLoopbackUrl(url);
}

export function isHttpsOrThisComputer(url: string): boolean {
  return /^https:\/\//i.test(url) || isThisComputer(url);
}

/** Where the metadata of a resource is looked for (RFC 9728 §3.1, MCP authorization): path-inserted, and at the root. */
export function resourceMetadataUrls(url: string): { inserted: string; root: string } {
  const { origin, pathname } = new URL(url);
  const root = `${origin}/.well-known/oauth-protected-resource`;
  return { inserted: `${root}${pathname.replace(/\/$/, '')}`, root };
}
