import { Chip } from './Chip.tsx';
import { plainText, shorten } from './foreign.ts';

/** How this server knows a client. Its name proves nothing: anyone may take any name. */
export function Provenance({ kind, host }: { kind: string | null; host?: string | null }) {
  if (kind === 'preregistered') return <Chip>operator</Chip>;
  if (kind === 'cimd')
    return <Chip tone="good">{host ? shorten(plainText(host), 40) : 'verified host'}</Chip>;
  if (kind === 'dcr') return <Chip tone="warn">self-registered</Chip>;
  return null;
}
