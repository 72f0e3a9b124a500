/** Where browsers come back to: an address for each server, so that no answer is taken for another's (U13). */
export function callbackUri(issuer: string, uuid: string): string {
  return `${below(issuer)}/connect/callback/${uuid}`;
}

/** Our client_id where metadata documents are taken (CIMD): the address of {@link clientDocument}. */
export function clientDocumentUrl(issuer: string, uuid: string): string {
  return `${below(issuer)}/connect/clients/${uuid}`;
}

/** Our own client metadata document (draft-ietf-oauth-client-id-metadata-document-02 §4). */
export function clientDocument(issuer: string, uuid: string): Record<string, unknown> {
  return {
    client_id: clientDocumentUrl(issuer, uuid),
    ...clientMetadata(issuer, uuid),
    token_endpoint_auth_method: 'none',
  };
}

/** What we say of ourselves, however we register (RFC 7591 §2). */
export function clientMetadata(issuer: string, uuid: string) {
  return {
    client_name: `Authorization server ${new URL(issuer).host}`,
    client_uri: below(issuer),
    redirect_uris: [callbackUri(issuer, uuid)],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  };
}

function below(issuer: string): string {
  return issuer.replace(/\/$/, '');
}
