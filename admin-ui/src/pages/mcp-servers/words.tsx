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

const states = {
  REGISTER: 'to be registered',
  AUTHORIZE: 'to be authorized',
  READY: 'ready',
} as const;

/** Where it stands, and whether it is switched off. */
export function ServerState({ server }: { server: Pick<Server, 'state' | 'enabled'> }) {
  if (!server.enabled && server.state === 'READY') return <Status value="disabled" />;
  return <Chip tone={server.state === 'READY' ? 'good' : 'warn'}>{states[server.state]}</Chip>;
}
