declare module 'oidc-provider/lib/helpers/weak_cache.js' {
  export default function readInstance(provider: unknown): unknown;
}
