import { type Assets, loadAssets } from './asset-files.ts';

/** Where a listener lives, as its people and clients know it. Never taken from a request's headers. */
export type Site = {
  /** the issuer (or the admin listener's external URL), as configured */
  url: string;
  /** scheme, host and port, as browsers send it in `Origin` */
  origin: string;
  /** the path in the URL without a trailing slash; '' at the root */
  base: string;
  /** host and port, for people to read */
  host: string;
  /** whether it is reached over https */
  secure: boolean;
  assets: Assets;
};

/**
 * Describes a listener from its configured URL (RFC 9700 §4.13: never from Host or X-Forwarded-*).
 *
 * @param url the issuer, or the admin listener's external URL
 */
export function createSite(url: string): Site {
  const { origin, pathname, host, protocol } = new URL(url);
  return {
    url,
    origin,
    base: pathname.replace(/\/+$/, ''),
    host,
    secure: protocol === 'https:',
    assets: loadAssets(),
  };
}

/** The address of an asset, with the hash of its content. */
export function assetUrl(site: Site, name: string): string {
  return `${site.base}/assets/${name}?v=${site.assets.get(name)?.version ?? ''}`;
}
