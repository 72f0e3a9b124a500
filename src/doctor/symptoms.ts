/** What people see, why, and what to do: the part of docs/debugging.md that no check tells. */
export interface Symptom {
  seen: string;
  cause: string;
  fix: string;
}

export const symptoms: readonly Symptom[] = [
  {
    seen: 'The client says that the server needs no authentication, or shows no tools',
    cause: 'The MCP server answers without a token, or not with 401.',
    fix: 'Protect it (docs/protect-your-server.md); checks `mcp_refuses`, `challenge_scheme`.',
  },
  {
    seen: 'The client opens no browser: "does not support OAuth", "no authorization server found"',
    cause: 'The metadata of the MCP server is missing or names another authorization server.',
    fix: 'Checks `prm_inserted`, `prm_issuer`, `metadata_variants`.',
  },
  {
    seen: '"Protected resource does not match", "resource mismatch"',
    cause: 'The metadata of the MCP server names another URL than the one that was pasted.',
    fix: 'Make them equal byte for byte; check `prm_resource`.',
  },
  {
    seen: '"Issuer mismatch" before the sign-in page',
    cause:
      '`server.issuer`, the metadata and `authorization_servers` differ, often by the last slash.',
    fix: 'Use the issuer exactly as it is configured; checks `issuer_echo`, `prm_issuer`.',
  },
  {
    seen: '`invalid_target` … is not registered here',
    cause:
      'The client asks for a URL that no resource has: another path, another host, http for https.',
    fix: 'In the flow press **Add alias** if it is the same server, or register the resource.',
  },
  {
    seen: '`invalid_target` resource is missing',
    cause: 'The client sends no `resource` (RFC 8707) and there is more than one to choose from.',
    fix: 'Set `oauth.default_resource`.',
  },
  {
    seen: '`invalid_scope` none of the requested scopes is known',
    cause: 'The MCP server advertises or demands scopes that are not registered here.',
    fix: 'In the flow press **Add scope**, or correct the MCP server; check `prm_scopes`.',
  },
  {
    seen: '`invalid_scope` the operator allows this client none of these scopes',
    cause: 'The ceiling of the client leaves them out.',
    fix: 'In the flow press **Allow scope**.',
  },
  {
    seen: 'A page says that the person may use none of these scopes',
    cause: 'The access rules of the resource leave the person out.',
    fix: 'Change `access` of the resource, or the groups of the person.',
  },
  {
    seen: '`invalid_client` at the sign-in page, the client_id is unknown',
    cause: 'The client was removed, or registered at another server and kept its client_id.',
    fix: 'Remove the connection in the app and add it again, so that it registers anew.',
  },
  {
    seen: '`invalid_client` the client metadata document could not be loaded',
    cause:
      'This server may not or cannot fetch it. The flow says why in its fact `document`; the app is not told.',
    fix: 'Allow its host (`cimd.allowed_hosts`), or let this server out to the Internet by https.',
  },
  {
    seen: 'A page says that the redirect_uri is not registered',
    cause: 'The app comes back to another address than its client has.',
    fix: 'In the flow of a client that an operator made press **Allow redirect**; others have to register again.',
  },
  {
    seen: '"This sign-in has expired, or was begun in another browser", every time',
    cause: 'The browser keeps no cookies for this site, or a proxy drops them.',
    fix: 'Pass `Set-Cookie` and `Cookie` on; see docs/reverse-proxies.md.',
  },
  {
    seen: 'Approve does nothing in the browser',
    cause: 'A proxy has put its own Content-Security-Policy in place of ours.',
    fix: 'Let the proxy leave the headers of this server as they are.',
  },
  {
    seen: '`invalid_grant` code_verifier does not match',
    cause: 'The app started twice and mixes two attempts, or an address is shared by two apps.',
    fix: 'Start again in one window. The flow shows both attempts.',
  },
  {
    seen: '`invalid_grant` this refresh token has been used already',
    cause:
      'Two processes share one refresh token and were further apart than `oauth.refresh_overlap`, or it was stolen.',
    fix: 'Connect again. If it comes back, raise `oauth.refresh_overlap`; the audit event `refresh_token_reused` has a verdict.',
  },
  {
    seen: '`invalid_client` at the token endpoint',
    cause: 'Wrong secret, or another authentication method than the client is registered with.',
    fix: 'The flow shows the method that was sent and the one that was expected.',
  },
  {
    seen: '`invalid_dpop_proof`, or 401 with `use_dpop_nonce` again and again',
    cause: 'The clock of the client is wrong, or it does not repeat the request with the nonce.',
    fix: 'Set the clock; update the client; or set `dpop.require_nonce: false`.',
  },
  {
    seen: 'Signed in, and then 401 from the MCP server all the same',
    cause: 'The token is for another audience, or the MCP server may not introspect it.',
    fix: 'Check `resource_audience`. For opaque tokens the flow has a failed step **First call**: put the client_id of the MCP server into `clients` of the resource.',
  },
  {
    seen: '429 for everybody behind one address',
    cause: 'Many people share the address, or a proxy is not trusted and counts as one client.',
    fix: 'Set `server.trusted_proxies`; raise `rate_limit`.',
  },
];
