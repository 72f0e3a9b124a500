/** Signature algorithms of DPoP proofs that we accept (RFC 9449 §5.1): asymmetric, no `none`. */
export const dpopAlgorithms = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] as const;
