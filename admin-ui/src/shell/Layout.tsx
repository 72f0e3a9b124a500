import { ActionIcon, Drawer } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { Suspense, useEffect, useRef } from 'react';
import { Outlet, useLocation } from 'react-router';
import { MenuIcon, SearchIcon } from '../parts/icons.tsx';
import { AccountMenu } from './AccountMenu.tsx';
import { CommandPalette } from './CommandPalette.tsx';
import { Navigation } from './Navigation.tsx';
import { PageBoundary } from './PageBoundary.tsx';
import styles from './shell.module.css';

/** Navigation at the side, or behind a button where it is narrow, and the page. */
export function Layout() {
  const [menu, { open: openMenu, close: closeMenu }] = useDisclosure(false);
  const [palette, { open: openPalette, close: closePalette }] = useDisclosure(false);
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  useHotkeys([
    ['mod+K', openPalette],
    ['/', () => focusSearch() || openPalette()],
  ]);

  // A page that is new begins at its top, for the eyes and for screen readers.
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <div className={styles.layout}>
      <a className={styles.skip} href="#main">
        Skip to content
      </a>
      <aside className={styles.side}>
        <Brand />
        <SearchButton open={openPalette} />
        <Navigation />
        <AccountMenu />
      </aside>
      <nav className={styles.top} aria-label="Menu and search">
        <ActionIcon variant="default" size={36} aria-label="Menu" onClick={openMenu}>
          <MenuIcon />
        </ActionIcon>
        <Brand />
        <ActionIcon variant="default" size={36} aria-label="Search" onClick={openPalette}>
          <SearchIcon />
        </ActionIcon>
      </nav>
      <Drawer opened={menu} onClose={closeMenu} position="left" size={280} title="authserver">
        <div className={styles.drawer}>
          <Navigation onFollow={closeMenu} />
          <AccountMenu />
        </div>
      </Drawer>
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        <PageBoundary key={pathname}>
          <Suspense fallback={<div className={styles.loading} />}>
            <Outlet />
          </Suspense>
        </PageBoundary>
      </main>
      <CommandPalette opened={palette} onClose={closePalette} />
    </div>
  );
}

const Brand = () => (
  <div className={styles.brand}>
    authserver
    <small>{location.host}</small>
  </div>
);

function SearchButton({ open }: { open: () => void }) {
  return (
    <button type="button" className={styles.searchButton} onClick={open}>
      <SearchIcon size={14} />
      <span>Search</span>
      <kbd>{navigator.platform.startsWith('Mac') ? '⌘K' : 'Ctrl K'}</kbd>
    </button>
  );
}

/** The search box of the list on this page, if there is one. */
function focusSearch(): boolean {
  const input = document.querySelector<HTMLInputElement>('[data-list-search]');
  input?.focus();
  return input !== null;
}
