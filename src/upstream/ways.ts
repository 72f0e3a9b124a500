import { isLoopbackUrl } from '../config/index.ts';
import { checkOutboundUrl, type Reach } from '../http/index.ts';

/** Where addresses that a member typed, or that another server named, may lead. */
export interface Ways {
  reachOf(url: string): Reach;
  /** Whether we may ask it, or send a browser to it: https; http on this computer while developing. */
  isWay(url: string): boolean;
}

/**
 * @param privateAddresses private networks and this computer too; while developing, or where the operator
 *   says so
 */
export function createWays({ privateAddresses }: { privateAddresses: boolean }): Ways {
  const isHere = (url: string) => privateAddresses && isLoopbackUrl(url);
  return {
    reachOf(url) {
      if (isHere(url)) return 'loopback';
      return privateAddresses ? 'private' : 'public';
    },
    isWay(url) {
      // Attack: what a URL parser forgives and a shell or an HTML attribute does not (U01).
      if (/['`]|\$\(/.test(url)) return false;
      if (checkOutboundUrl(url).ok) return true;
      const asHttps = /^http:\/\//.test(url) && isHere(url) && url.replace(/^http:/, 'https:');
      return asHttps !== false && checkOutboundUrl(asHttps).ok;
    },
  };
}
