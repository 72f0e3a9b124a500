import { ActionIcon, Menu } from '@mantine/core';
import { MoreIcon } from './icons.tsx';

export interface MenuAction {
  label: string;
  run: () => void;
  /** Ends something. */
  bad?: boolean;
  /** Whether who is signed in may do it. */
  may?: boolean;
}

/** The rarer acts of a page. Without any there is no button. */
export function ActionMenu({ items }: { items: readonly MenuAction[] }) {
  const allowed = items.filter(({ may = true }) => may);
  if (allowed.length === 0) return null;
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label="More actions">
          <MoreIcon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {allowed.map(({ label, run, bad }) => (
          <Menu.Item key={label} onClick={run} {...(bad && { color: 'red' })}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
