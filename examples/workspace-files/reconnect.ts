import * as z from 'zod';
import { FileProblem } from './problem.ts';

const answerSchema = z.object({ url: z.url(), expires_at: z.string().optional() });

export type ReconnectDeps = {
  issuer: string;
  resource: string;
  /** This resource server's own client at the issuer. */
  client: { clientId: string; clientSecret: string };
  fetch: typeof fetch;
};

/** Asks the authorization server for a reconnect link for the person behind a call. */
export type ReconnectLink = (who: {
  workspaceId: string;
  sub: string;
}) => Promise<z.infer<typeof answerSchema>>;

/** `POST <issuer>/api/workspaces/{id}/reconnect-links`, authenticated as at introspection. */
export function reconnectLinks({ issuer, resource, client, fetch }: ReconnectDeps): ReconnectLink {
  return async ({ workspaceId, sub }) => {
    const response = await fetch(`${issuer}/api/workspaces/${workspaceId}/reconnect-links`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        authorization: `Basic ${basic(client)}`,
      },
      body: JSON.stringify({ resource, sub }),
      redirect: 'error',
      signal: AbortSignal.timeout(5000),
    }).catch((cause: unknown) => {
      throw new FileProblem(
        `The authorization server ${issuer} cannot be reached; try again later`,
        {
          cause,
        },
      );
    });
    const body = await response.text();
    if (response.status === 201) return answerSchema.parse(JSON.parse(body));
    throw new FileProblem(
      response.status >= 500 || response.status === 429
        ? `The authorization server ${issuer} is not available (${response.status}); try again later`
        : `The authorization server ${issuer} gave no reconnect link (${response.status}): ${reason(body)}`,
    );
  };
}

/** RFC 6749 §2.3.1 */
const basic = ({ clientId, clientSecret }: ReconnectDeps['client']) =>
  Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString(
    'base64',
  );

function reason(body: string): string {
  try {
    const { error_description } = z
      .object({ error_description: z.string() })
      .parse(JSON.parse(body));
    return error_description;
  } catch {
    return 'no reason given';
  }
}
