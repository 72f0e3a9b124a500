/**
 * Signing keys (RFC 7517) and their rotation, and the encryption of secrets at rest: under a key outside
 * the database (SecretBox) or under a token's own value (sealUnder). app.ts opens them, provider/ signs.
 */
export { type LocalSecrets, loadOrCreateLocalSecrets } from './data-key.ts';
export { openUnder, sealUnder } from './derived.ts';
export { KeysStartError } from './errors.ts';
export type { PrivateJwk } from './generate.ts';
export { createKeys, type KeyInfo, type Keys, type KeysDeps } from './keys.ts';
export { type RotationSettings, type SigningAlgorithm, signingAlgorithms } from './policy.ts';
export { type Reencrypted, reencrypt } from './reencrypt.ts';
export type { Rotation } from './rotate.ts';
export { createSecretBox, type SecretBox, SecretBoxError } from './secret-box.ts';
