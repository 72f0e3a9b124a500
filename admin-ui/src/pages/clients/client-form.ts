import type { Answer, Body } from '../../api/types.ts';
import { linesOf } from '../../parts/FormDialog.tsx';

export type ClientDetail = Answer<'clients', 'get'>;
type Method = ClientDetail['token_endpoint_auth_method'];

/** What the form of a client holds: lists as lines of text. */
export interface ClientValues {
  client_id: string;
  client_name: string;
  token_endpoint_auth_method: Method;
  grant_types: string[];
  redirect_uris: string;
  resources: string;
  scope: string;
  jwks_uri: string;
}

export const methods: { value: Method; label: string }[] = [
  { value: 'none', label: 'None: an app on somebody’s computer' },
  { value: 'client_secret_basic', label: 'Secret in a header (client_secret_basic)' },
  { value: 'client_secret_post', label: 'Secret in the form (client_secret_post)' },
  { value: 'private_key_jwt', label: 'Signed with its own key (private_key_jwt)' },
];

export const isMethod = (value: string): value is Method =>
  methods.some((method) => method.value === value);

export const grantTypes: { value: string; label: string }[] = [
  { value: 'authorization_code', label: 'A person signs in (authorization_code)' },
  { value: 'refresh_token', label: 'Stays connected (refresh_token)' },
  { value: 'client_credentials', label: 'Acts for itself (client_credentials)' },
  {
    value: 'urn:ietf:params:oauth:grant-type:device_code',
    label: 'A person approves on another device (device_code)',
  },
  {
    value: 'urn:ietf:params:oauth:grant-type:token-exchange',
    label: 'Exchanges tokens (token-exchange)',
  },
  {
    value: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    label: 'Presents identity assertions (jwt-bearer)',
  },
];

export const emptyClient: ClientValues = {
  client_id: '',
  client_name: '',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: '',
  resources: '',
  scope: '',
  jwks_uri: '',
};

/** The form of a client that is there. */
export function valuesOf(client: ClientDetail): ClientValues {
  return {
    client_id: client.client_id,
    client_name: client.client_name ?? '',
    token_endpoint_auth_method: client.token_endpoint_auth_method,
    grant_types: client.grant_types,
    redirect_uris: client.redirect_uris.join('\n'),
    resources: (client.resources ?? []).join('\n'),
    scope: client.scope ?? '',
    jwks_uri: client.jwks_uri ?? '',
  };
}

/** What is sent for a new client: what was left empty is left out. */
export function bodyOf(values: ClientValues): Body<'clients', 'create'> {
  const resources = linesOf(values.resources);
  return {
    ...(values.client_id.trim() && { client_id: values.client_id.trim() }),
    ...(values.client_name.trim() && { client_name: values.client_name.trim() }),
    token_endpoint_auth_method: values.token_endpoint_auth_method,
    grant_types: values.grant_types,
    redirect_uris: linesOf(values.redirect_uris),
    ...(resources.length > 0 && { resources }),
    ...(values.scope.trim() && { scope: values.scope.trim() }),
    ...(values.jwks_uri.trim() && { jwks_uri: values.jwks_uri.trim() }),
  };
}

/**
 * What is sent for a change: only what differs, and null for what was emptied. A self-registered client
 * or one with a document takes its ceilings only, so that nothing else may be sent.
 */
export function changeOf(client: ClientDetail, values: ClientValues): Body<'clients', 'update'> {
  const before = valuesOf(client);
  const text = (value: string) => value.trim() || null;
  const list = linesOf(values.resources);
  const ceilings = {
    ...(values.scope !== before.scope && { scope: text(values.scope) }),
    ...(values.resources !== before.resources && { resources: list.length > 0 ? list : null }),
  };
  if (client.kind !== 'preregistered') return ceilings;
  return {
    ...ceilings,
    ...(values.client_name !== before.client_name && { client_name: text(values.client_name) }),
    ...(values.token_endpoint_auth_method !== before.token_endpoint_auth_method && {
      token_endpoint_auth_method: values.token_endpoint_auth_method,
    }),
    ...(values.grant_types.join() !== before.grant_types.join() && {
      grant_types: values.grant_types,
    }),
    ...(values.redirect_uris !== before.redirect_uris && {
      redirect_uris: linesOf(values.redirect_uris),
    }),
    ...(values.jwks_uri !== before.jwks_uri && { jwks_uri: text(values.jwks_uri) }),
  };
}
