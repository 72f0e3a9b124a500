import { type SecretBox, SecretBoxError } from '../keys/index.ts';

/** Whose a token is and who issued it: sealed for these, it opens for nobody else. */
export interface TokenOwner {
  serverId: number;
  userId: string;
  issuer: string;
}

export function sealTokens(
  box: SecretBox,
  owner: TokenOwner,
  { accessToken, refreshToken }: { accessToken: string; refreshToken?: string | undefined },
): { access_sealed: string; refresh_sealed: string | null } {
  return {
    access_sealed: box.seal(accessToken, contextOf(owner, 'access')),
    refresh_sealed:
      refreshToken === undefined ? null : box.seal(refreshToken, contextOf(owner, 'refresh')),
  };
}

/** @throws SecretBoxError */
export function openToken(
  box: SecretBox,
  owner: TokenOwner,
  kind: 'access' | 'refresh',
  sealed: string,
): string {
  return box.open(sealed, contextOf(owner, kind));
}

/** @returns undefined for what was sealed with a key that is gone: then the member connects again */
export function openIfReadable(...token: Parameters<typeof openToken>): string | undefined {
  try {
    return openToken(...token);
  } catch (error) {
    if (error instanceof SecretBoxError) return undefined;
    throw error;
  }
}

function contextOf({ serverId, userId, issuer }: TokenOwner, kind: string): string {
  return `upstream_token:${kind}:${serverId}:${userId}:${issuer}`;
}
