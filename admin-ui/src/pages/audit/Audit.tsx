import { Button, Menu, Switch } from '@mantine/core';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { PageTabs } from '../../parts/PageTabs.tsx';
import { AuditTable, auditFilters } from './AuditTable.tsx';
import { Chain } from './Chain.tsx';
import { DeadLetters } from './DeadLetters.tsx';
import { useTail } from './useTail.ts';

export default function Audit() {
  return (
    <>
      <PageHeader title="Audit log">
        <ExportMenu />
      </PageHeader>
      <PageTabs
        label="Parts of the audit log"
        tabs={[
          { id: 'events', label: 'Events', content: () => <Events /> },
          { id: 'chain', label: 'Hash chain', content: () => <Chain /> },
          { id: 'undelivered', label: 'Undelivered', content: () => <DeadLetters /> },
        ]}
      />
    </>
  );
}

function Events() {
  const [live, setLive] = useState(false);
  const state = useTail(live);
  return (
    <AuditTable
      tools={
        <Switch
          label={state === 'lost' ? 'Live (reconnecting)' : 'Live'}
          checked={live}
          onChange={(event) => setLive(event.currentTarget.checked)}
        />
      }
    />
  );
}

/** What is shown with its filters, as a file; the browser downloads it as it is written. */
function ExportMenu() {
  const [params] = useSearchParams();
  const address = (format: string) => {
    const query = new URLSearchParams({ format });
    for (const { name } of auditFilters) {
      const value = params.get(name);
      if (value) query.set(name, value);
    }
    return `/admin/api/audit/export?${query}`;
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default">Export</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={address('ndjson')} download>
          NDJSON, one event a line
        </Menu.Item>
        <Menu.Item component="a" href={address('csv')} download>
          CSV, for a spreadsheet
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
