import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import { useMay } from '../api/context.tsx';
import { useAction } from '../api/query.ts';
import type { Noun } from '../api/types.ts';
import { ActionMenu } from './ActionMenu.tsx';
import { Chip, Status } from './Chip.tsx';
import { ConfirmDestructive } from './Confirm.tsx';

/** What is made here or in the configuration, can be disabled, and removed for good. */
type SwitchableNoun = 'identity-providers' | 'trusted-issuers' | 'resources';

interface SwitchableRow {
  id: string;
  enabled: boolean;
  source: 'admin' | 'config' | 'builtin';
  version: string;
}

interface Dialog {
  opened: boolean;
  onClose: () => void;
}

/** Acts of a page about one of them: enable, edit what was made here, disable, remove. */
export function SwitchableActions({
  noun,
  row,
  name,
  disabling,
  removing,
  typeName,
  changes = [],
  edit,
}: {
  noun: SwitchableNoun;
  row: SwitchableRow;
  /** What it is: `resource`. */
  name: string;
  /** What ends when it is disabled, and when it is removed; one sentence each. */
  disabling: readonly string[];
  removing: readonly string[];
  /** Has to be typed before it is removed. */
  typeName: string;
  /** What else these change. */
  changes?: readonly Noun[];
  edit: (dialog: Dialog) => ReactNode;
}) {
  const may = useMay();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'edit' | 'disable' | 'remove'>();
  const dialog = (which: typeof open) => ({
    opened: open === which,
    onClose: () => setOpen(undefined),
  });
  const params = { id: row.id };
  const enable = useAction(noun, 'enable', { done: `The ${name} is enabled.`, loud: true });
  const disable = useAction(noun, 'disable', { done: `The ${name} is disabled.`, changes });
  const remove = useAction(noun, 'remove', { done: `The ${name} is removed.`, changes });
  return (
    <>
      {!row.enabled && may(noun, 'enable') && (
        <Button loading={enable.isPending} onClick={() => enable.mutate({ params, body: {} })}>
          Enable
        </Button>
      )}
      {row.source === 'admin' && may(noun, 'update') && (
        <Button variant="default" onClick={() => setOpen('edit')}>
          Edit
        </Button>
      )}
      <ActionMenu
        items={[
          {
            label: 'Disable',
            run: () => setOpen('disable'),
            may: row.enabled && may(noun, 'disable'),
          },
          {
            label: 'Remove',
            run: () => setOpen('remove'),
            bad: true,
            may: row.source !== 'builtin' && may(noun, 'remove'),
          },
        ]}
      />
      {edit(dialog('edit'))}
      <ConfirmDestructive
        {...dialog('disable')}
        title={`Disable this ${name}`}
        action="Disable"
        consequences={disabling}
        run={() => disable.mutateAsync({ params, body: {} })}
      />
      <ConfirmDestructive
        {...dialog('remove')}
        title={`Remove this ${name}`}
        action="Remove"
        typeName={typeName}
        consequences={[
          ...removing,
          ...(row.source === 'config'
            ? ['The configuration declares it: it is made again at the next start.']
            : []),
        ]}
        run={async () => {
          await remove.mutateAsync({ params, ifMatch: row.version });
          void navigate(`/${noun}`);
        }}
      />
    </>
  );
}

const sources = { admin: 'here', config: 'configuration', builtin: 'built in' } as const;

/** Where one is made, in words for its page. */
export const madeIn: Record<SwitchableRow['source'], string> = {
  admin: 'here, where it is edited',
  config: 'the configuration, where it is edited',
  builtin: 'this server itself',
};

/** The last columns of their lists. */
export const switchableColumns = [
  {
    id: 'source',
    header: 'Made in',
    width: 138,
    cell: ({ source }: Pick<SwitchableRow, 'source'>) => <Chip>{sources[source]}</Chip>,
  },
  {
    id: 'status',
    header: 'Status',
    width: 110,
    cell: ({ enabled }: Pick<SwitchableRow, 'enabled'>) => (
      <Status value={enabled ? 'enabled' : 'disabled'} />
    ),
  },
] as const;

export const enabledFilter = {
  name: 'enabled',
  label: 'Status',
  options: [
    { value: 'true', label: 'enabled' },
    { value: 'false', label: 'disabled' },
  ],
} as const;

const madeHere = { value: 'admin', label: 'here' } as const;
const declared = { value: 'config', label: 'the configuration' } as const;

export const sourceFilter = {
  name: 'source',
  label: 'Made in',
  options: [declared, madeHere],
} as const;
