import { NavLink } from 'react-router';
import { useSession } from '../api/context.tsx';
import { type Place, sections } from './navigation.ts';
import styles from './shell.module.css';

/** Where one can go, by what one wants to do. */
export function Navigation({ onFollow }: { onFollow?: () => void }) {
  const shown = useSections();
  return (
    <nav aria-label="Pages" className={styles.nav}>
      {shown.map(({ title, places }) => (
        <div key={title ?? 'first'}>
          {title && <p className={styles.section}>{title}</p>}
          <ul>
            {places.map(({ path, label }) => (
              <li key={path}>
                <NavLink to={path} end={path === '/'} className={styles.place} onClick={onFollow}>
                  {label}
                </NavLink>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** The sections with what who is signed in may see. */
export function useSections() {
  const { role } = useSession();
  if (role !== 'workspace') return sections;
  const forThem = (place: Place) => place.forWorkspaces;
  return sections
    .map((section) => ({ ...section, places: section.places.filter(forThem) }))
    .filter(({ places }) => places.length > 0);
}
