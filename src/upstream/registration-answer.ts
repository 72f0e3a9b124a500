import { UpstreamProblem } from './problem.ts';
import type { AuthMethod, Registration } from './registration-row.ts';

const longestId = 2048;

/** RFC 7591 §3.2.1: what the server answered, which may differ from what was asked. @throws UpstreamProblem */
export function readEnrolment(answer: Record<string, unknown>, asked: AuthMethod) {
  const { client_id: clientId, client_secret: clientSecret } = answer;
  if (typeof clientId !== 'string' || !/^[ -~]+$/.test(clientId) || clientId.length > longestId) {
    throw unusable('client_id');
  }
  const hasSecret = clientSecret !== undefined && clientSecret !== '';
  if (hasSecret && (typeof clientSecret !== 'string' || clientSecret.length > longestId)) {
    throw unusable('client_secret');
  }
  const expires = answer.client_secret_expires_at;
  const seconds =
    typeof expires === 'number' && expires > 0 ? Math.min(expires, 32_503_680_000) : 0;
  const methods = ['client_secret_basic', 'client_secret_post', 'none'] as const;
  const method = methods.find((one) => one === answer.token_endpoint_auth_method) ?? asked;
  return {
    clientId,
    ...(typeof clientSecret === 'string' && hasSecret && { clientSecret }),
    authMethod: hasSecret ? method : 'none',
    ...(hasSecret && seconds > 0 && { expiresAt: new Date(seconds * 1000) }),
  } satisfies Partial<Registration>;
}

function unusable(field: string): UpstreamProblem {
  return new UpstreamProblem(
    'registration',
    `${field} of the registration answer cannot be used.`,
    {
      field,
    },
  );
}
