import type { Row } from '../../api/types.ts';
import { Chip, Status } from '../../parts/Chip.tsx';

type Server = Row<'mcp-servers'>;

/** How members sign in there. */
export const authTypes: Readonly<Record<Server['auth_type'], string>> = {
  none: 'nothing',
  api_key: 'an API key',
  oauth: 'OAuth',
  direct_auth: 'the server itself',
};

/** How far it is set up. */
export const states: Readonly<Record<Server['state'], string>> = {
  REGISTER: 'not set up',
  AUTHORIZE: 'not authorized',
  READY: 'ready',
};

/** Words of the API and their labels, for a filter. */
export const choices = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels).map(([value, label]) => ({ value, label }));

/** Where it stands, and whether it is switched off. */
export function ServerState({ server }: { server: Pick<Server, 'state' | 'enabled'> }) {
  if (!server.enabled && server.state === 'READY') return <Status value="disabled" />;
  return <Chip tone={server.state === 'READY' ? 'good' : 'warn'}>{states[server.state]}</Chip>;
}
