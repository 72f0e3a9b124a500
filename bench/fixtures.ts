/** What both servers know: one public client, one resource, one person. */
export const benchClient = { id: 'bench', redirectUri: 'https://app.test/cb' };
export const benchResource = { uri: 'https://mcp.test/mcp', scope: 'mcp:read' };
/** A confidential client that is the resource server of both resources too. */
export const benchMachine = { id: 'machine', secret: 'machine-secret-0123456789' };
export const benchOpaque = { uri: 'https://opaque.test/mcp', scope: 'op:use' };
export const benchPerson = { email: 'alice@example.test', password: 'correct horse alice' };

/** Connections that the driver keeps open, each with one request under way. */
export const connections = 16;
