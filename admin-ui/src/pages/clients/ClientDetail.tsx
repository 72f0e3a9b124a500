import { useMemo } from 'react';
import { useParams } from 'react-router';
import { useAnswer } from '../../api/query.ts';
import { Status } from '../../parts/Chip.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { PageTabs } from '../../parts/PageTabs.tsx';
import { Provenance } from '../../parts/Provenance.tsx';
import { AuditTable } from '../audit/AuditTable.tsx';
import { GrantTable } from '../grants/GrantTable.tsx';
import { IssuanceTable } from '../issuances/IssuanceTable.tsx';
import { ClientActions } from './ClientActions.tsx';
import { ClientFacts } from './ClientFacts.tsx';
import type { ClientDetail } from './client-form.ts';
import { DocumentChanges } from './DocumentChanges.tsx';

export default function ClientPage() {
  const { id = '' } = useParams();
  const query = useAnswer('clients', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(client) => <Detail client={client} />}
    </Loaded>
  );
}

function Detail({ client }: { client: ClientDetail }) {
  const ofClient = useMemo(() => ({ client_id: client.client_id }), [client.client_id]);
  const name = client.client_name ?? client.client_id;
  return (
    <>
      <PageHeader
        title={shorten(plainText(name), 60)}
        name={<Foreign text={name} limit={80} />}
        back={{ to: '/clients', label: 'Clients' }}
        chips={
          <>
            <Provenance kind={client.kind} host={client.document_host} />
            <Status value={client.status} />
          </>
        }
      >
        <ClientActions client={client} />
      </PageHeader>
      <PageTabs
        label="Parts of this client"
        tabs={[
          { id: 'about', label: 'About', content: () => <ClientFacts client={client} /> },
          {
            id: 'grants',
            label: `Grants (${client.grants})`,
            content: () => <GrantTable fixed={ofClient} />,
          },
          {
            id: 'issuances',
            label: 'Issuances',
            content: () => <IssuanceTable fixed={ofClient} />,
          },
          ...(client.kind === 'cimd'
            ? [
                {
                  id: 'document',
                  label: 'Document',
                  content: () => <DocumentChanges client={client} />,
                },
              ]
            : []),
          { id: 'audit', label: 'Audit log', content: () => <AuditTable fixed={ofClient} /> },
        ]}
      />
    </>
  );
}
