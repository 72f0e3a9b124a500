import { OAuthError } from '../oauth/index.ts';
import { mostServers } from './server-policy.ts';

/** There is no such server, or none that this caller may know of: both look the same. */
export function unknownServer(): OAuthError {
  return new OAuthError('invalid_request', 'There is no such MCP server.', { status: 404 });
}

/** The workspace has as many as it may. */
export function tooMany(): OAuthError {
  const sentence = `This workspace has ${mostServers} MCP servers, and cannot have more. Delete one first.`;
  return new OAuthError('invalid_request', sentence, { status: 409 });
}
