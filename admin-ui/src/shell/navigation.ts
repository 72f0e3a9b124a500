/** What stands in the navigation and in the command palette. */
export interface Place {
  path: string;
  label: string;
  /** Other words by which people look for it. */
  also?: string;
  /** Admins of a workspace see this one too. */
  forWorkspaces?: boolean;
}

export interface Section {
  title?: string;
  places: readonly Place[];
}

export const sections: readonly Section[] = [
  { places: [{ path: '/', label: 'Overview', also: 'home dashboard charts' }] },
  {
    title: 'Connections',
    places: [
      { path: '/clients', label: 'Clients', also: 'apps cimd dcr register' },
      { path: '/grants', label: 'Grants', also: 'consents connections', forWorkspaces: true },
      { path: '/issuances', label: 'Issuances', also: 'tokens issued jti', forWorkspaces: true },
      {
        path: '/tokens',
        label: 'Personal tokens',
        also: 'personal access tokens pat',
        forWorkspaces: true,
      },
    ],
  },
  {
    title: 'Protect',
    places: [
      { path: '/resources', label: 'Resources', also: 'scopes mcp servers aliases' },
      { path: '/users', label: 'People', also: 'users accounts invite roles groups' },
      { path: '/workspaces', label: 'Workspaces', also: 'members tenants', forWorkspaces: true },
      {
        path: '/mcp-servers',
        label: 'MCP servers',
        also: 'registry upstream connected gateway',
        forWorkspaces: true,
      },
      { path: '/identity-providers', label: 'Identity providers', also: 'openid sso login' },
      { path: '/trusted-issuers', label: 'Trusted issuers', also: 'id-jag assertions' },
    ],
  },
  {
    title: 'Diagnose',
    places: [
      { path: '/flows', label: 'Flows', also: 'attempts failures trace funnel' },
      { path: '/doctor', label: 'Doctor', also: 'probe check mcp server' },
      { path: '/inspector', label: 'Token inspector', also: 'jwt decode verify introspect' },
    ],
  },
  {
    title: 'Govern',
    places: [
      { path: '/audit', label: 'Audit log', also: 'events trail history export' },
      { path: '/keys', label: 'Keys', also: 'jwks signing rotate' },
      { path: '/api-keys', label: 'API keys', also: 'programs automation' },
      { path: '/settings', label: 'Settings and health', also: 'configuration jobs database' },
    ],
  },
];
