export { type Challenge, readChallenge } from '../http/index.ts';
