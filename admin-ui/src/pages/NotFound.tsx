import { Link } from 'react-router';
import { PageHeader } from '../parts/PageHeader.tsx';

export default function NotFound() {
  return (
    <>
      <PageHeader title="There is no such page" />
      <p>
        The address may be from another version. Go to the <Link to="/">Overview</Link> or search
        with <kbd>/</kbd>.
      </p>
    </>
  );
}
