import { NativeSelect } from '@mantine/core';
import { useSearchParams } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { GrantGroups, isGrouping } from './GrantGroups.tsx';
import { GrantTable } from './GrantTable.tsx';

/** Who allowed what: every connection, or counted by client, person or resource. */
export default function Grants() {
  const [params, setParams] = useSearchParams();
  const mayCount = useMay()('grants', 'summary');
  const wanted = params.get('by');
  const by = mayCount && isGrouping(wanted) ? wanted : undefined;
  return (
    <>
      <PageHeader title="Grants">
        {mayCount && (
          <NativeSelect
            aria-label="Group"
            value={by ?? 'none'}
            onChange={({ currentTarget: { value } }) =>
              setParams(value === 'none' ? {} : { by: value })
            }
            data={[
              { value: 'none', label: 'Each grant' },
              { value: 'client', label: 'Grouped by client' },
              { value: 'user', label: 'Grouped by person' },
              { value: 'resource', label: 'Grouped by resource' },
            ]}
          />
        )}
      </PageHeader>
      {by ? <GrantGroups by={by} /> : <GrantTable />}
    </>
  );
}
