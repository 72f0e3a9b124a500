declare module 'oidc-provider/lib/helpers/weak_cache.js' {
  export default function readInstance(provider: unknown): unknown;
}

declare module 'oidc-provider/lib/helpers/validate_dpop.js' {
  export interface CheckedProof {
    thumbprint: string;
    jti: string;
    iat: number;
  }
  export default function validateDpop(
    provider: unknown,
    ctx: unknown,
  ): Promise<CheckedProof | undefined>;
}

declare module 'oidc-provider/lib/helpers/grants.js' {
  import type { CheckedProof } from 'oidc-provider/lib/helpers/validate_dpop.js';
  export function checkDpopRequired(
    provider: unknown,
    ctx: unknown,
    proof: CheckedProof | undefined,
  ): void;
  export function checkDpopReplay(
    provider: unknown,
    ctx: unknown,
    proof: CheckedProof | undefined,
    clientId: string,
    ErrorClass: unknown,
  ): Promise<void>;
}
