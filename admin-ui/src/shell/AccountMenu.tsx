import { Menu, useMantineColorScheme } from '@mantine/core';
import { useApi, useSession } from '../api/context.tsx';
import { showError } from '../api/query.ts';
import { plainText, shorten } from '../parts/foreign.ts';
import styles from './shell.module.css';

/** Who is signed in, the colours, and the way out. */
export function AccountMenu() {
  const api = useApi();
  const { user, role } = useSession();
  const name = shorten(plainText(user?.name || user?.email || 'API key'), 40);

  async function signOut() {
    try {
      await api.call('session', 'end');
      location.assign('/admin/sign-in');
    } catch (error) {
      if (error instanceof Error) showError(error);
    }
  }

  return (
    <Menu position="top-start" width={240}>
      <Menu.Target>
        <button type="button" className={styles.account}>
          <b>
            <bdi>{name}</bdi>
          </b>
          <span>{role === 'workspace' ? 'workspace admin' : role}</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {user && <p className={styles.email}>{shorten(plainText(user.email), 60)}</p>}
        <ColourScheme />
        <Menu.Divider />
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const schemes = [
  { value: 'auto', label: 'Colours of the system' },
  { value: 'light', label: 'Light colours' },
  { value: 'dark', label: 'Dark colours' },
] as const;

function ColourScheme() {
  // Without keepTransitions Mantine would inject a <style>, which the content security policy refuses.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return schemes.map(({ value, label }) => (
    <Menu.RadioItem
      key={value}
      value={value}
      checked={value === colorScheme}
      onChange={() => setColorScheme(value)}
    >
      {label}
    </Menu.RadioItem>
  ));
}
