import { useParams } from 'react-router';
import { useAnswer } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { Status } from '../../parts/Chip.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { JsonView } from '../../parts/JsonView.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { Rows } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { madeIn, SwitchableActions } from '../../parts/Switchable.tsx';
import { EditIssuer, type Issuer } from './IssuerDialogs.tsx';

export default function IssuerPage() {
  const { id = '' } = useParams();
  const query = useAnswer('trusted-issuers', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(issuer) => <Detail issuer={issuer} />}
    </Loaded>
  );
}

const listed = (list: readonly string[] | null) =>
  list === null
    ? 'any'
    : list.map((item) => (
        <div key={item}>
          <code>{plainText(item)}</code>
        </div>
      ));

function Detail({ issuer }: { issuer: Issuer }) {
  return (
    <>
      <PageHeader
        title={shorten(plainText(issuer.issuer), 80)}
        back={{ to: '/trusted-issuers', label: 'Trusted issuers' }}
        chips={<Status value={issuer.enabled ? 'enabled' : 'disabled'} />}
      >
        <SwitchableActions
          noun="trusted-issuers"
          row={issuer}
          name="trusted issuer"
          disabling={['Its assertions buy nothing. Tokens that they bought live out their time.']}
          removing={['Ends the trust for good. Tokens that it bought live out their time.']}
          typeName="remove"
          edit={(dialog) => <EditIssuer issuer={issuer} {...dialog} />}
        />
      </PageHeader>
      <Rows>
        <Card>
          <Fields
            items={[
              ['Issuer', <CopyableId key="i" value={issuer.issuer} limit={70} />],
              [
                'Keys',
                issuer.jwks_uri
                  ? plainText(issuer.jwks_uri)
                  : issuer.jwks
                    ? 'given below'
                    : 'as its metadata says',
              ],
              ['Clients', listed(issuer.clients)],
              ['Resources', listed(issuer.resources)],
              ['Most scopes', listed(issuer.scopes)],
              ['Unknown people', issuer.subject === 'automatic' ? 'get an account' : 'are refused'],
              ['Made in', madeIn[issuer.source]],
            ]}
          />
        </Card>
        {issuer.jwks && <JsonView value={issuer.jwks} label="Public keys" />}
      </Rows>
    </>
  );
}
