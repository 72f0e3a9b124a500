import { PageHeader } from '../../parts/PageHeader.tsx';
import { IssuanceTable } from './IssuanceTable.tsx';

export default function Issuances() {
  return (
    <>
      <PageHeader title="Issuances" />
      <IssuanceTable />
    </>
  );
}
