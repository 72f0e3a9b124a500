import { lazy } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { useSession } from '../api/context.tsx';
import { Layout } from './Layout.tsx';

const Overview = lazy(() => import('../pages/overview/Overview.tsx'));
const NotFound = lazy(() => import('../pages/NotFound.tsx'));

/** Every page by its address; each is loaded when it is first opened. */
const pages = [
  { path: '/', page: Home },
  { path: '/clients', page: lazy(() => import('../pages/clients/Clients.tsx')) },
  { path: '/clients/:id', page: lazy(() => import('../pages/clients/ClientDetail.tsx')) },
  { path: '/grants', page: lazy(() => import('../pages/grants/Grants.tsx')) },
  { path: '/grants/:id', page: lazy(() => import('../pages/grants/GrantDetail.tsx')) },
  { path: '/issuances', page: lazy(() => import('../pages/issuances/Issuances.tsx')) },
  { path: '/issuances/:id', page: lazy(() => import('../pages/issuances/IssuanceDetail.tsx')) },
  { path: '/users', page: lazy(() => import('../pages/users/Users.tsx')) },
  { path: '/users/:id', page: lazy(() => import('../pages/users/UserDetail.tsx')) },
  { path: '/flows', page: lazy(() => import('../pages/flows/Flows.tsx')) },
  { path: '/flows/:id', page: lazy(() => import('../pages/flows/FlowDetail.tsx')) },
  { path: '/api-keys', page: lazy(() => import('../pages/api-keys/ApiKeys.tsx')) },
  { path: '/resources', page: lazy(() => import('../pages/resources/Resources.tsx')) },
  { path: '/resources/:id', page: lazy(() => import('../pages/resources/ResourceDetail.tsx')) },
  { path: '/keys', page: lazy(() => import('../pages/keys/Keys.tsx')) },
  { path: '/inspector', page: lazy(() => import('../pages/inspector/Inspector.tsx')) },
  { path: '/doctor', page: lazy(() => import('../pages/doctor/Doctor.tsx')) },
  { path: '/settings', page: lazy(() => import('../pages/settings/Settings.tsx')) },
  { path: '/tokens', page: lazy(() => import('../pages/tokens/Tokens.tsx')) },
  { path: '/workspaces', page: lazy(() => import('../pages/workspaces/Workspaces.tsx')) },
  { path: '/workspaces/:id', page: lazy(() => import('../pages/workspaces/WorkspaceDetail.tsx')) },
  { path: '/mcp-servers', page: lazy(() => import('../pages/mcp-servers/McpServers.tsx')) },
  { path: '/mcp-servers/:id', page: lazy(() => import('../pages/mcp-servers/ServerDetail.tsx')) },
  {
    path: '/identity-providers',
    page: lazy(() => import('../pages/identity-providers/IdentityProviders.tsx')),
  },
  {
    path: '/identity-providers/:id',
    page: lazy(() => import('../pages/identity-providers/ProviderDetail.tsx')),
  },
  {
    path: '/trusted-issuers',
    page: lazy(() => import('../pages/trusted-issuers/TrustedIssuers.tsx')),
  },
  {
    path: '/trusted-issuers/:id',
    page: lazy(() => import('../pages/trusted-issuers/IssuerDetail.tsx')),
  },
  { path: '/audit', page: lazy(() => import('../pages/audit/Audit.tsx')) },
];

/** The overview is about the whole server: who governs workspaces alone begins with those. */
function Home() {
  const { role, workspaces } = useSession();
  if (role !== 'workspace') return <Overview />;
  const [only] = workspaces.length === 1 ? workspaces : [];
  return <Navigate replace to={only ? `/workspaces/${only.id}` : '/workspaces'} />;
}

export function Pages() {
  return (
    <Routes>
      <Route element={<Layout />}>
        {pages.map(({ path, page: Page }) => (
          <Route key={path} path={path} element={<Page />} />
        ))}
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}
