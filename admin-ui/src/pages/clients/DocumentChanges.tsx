import { Card } from '../../parts/Card.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { Rows, SimpleTable } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import type { ClientDetail } from './client-form.ts';

/** What changed in the metadata document, each time that something did. */
export function DocumentChanges({ client }: { client: ClientDetail }) {
  const { document_changes } = client;
  if (document_changes.length === 0) {
    return (
      <Card>
        <p className="muted">
          Its document has not changed since it was first read. A change of its name, keys or
          redirect hosts asks for consent again.
        </p>
      </Card>
    );
  }
  return (
    <Rows>
      {document_changes.map(({ at, changes }) => (
        <Card key={at}>
          <p className="muted">
            <RelativeTime time={at} />
          </p>
          <SimpleTable label="What changed" head={['Member', 'Before', 'After']}>
            {changes.map(({ field, from, to }) => (
              <tr key={field}>
                <td>
                  <code>{field}</code>
                </td>
                <td>
                  <Foreign text={words(from)} limit={300} />
                </td>
                <td>
                  <Foreign text={words(to)} limit={300} />
                </td>
              </tr>
            ))}
          </SimpleTable>
        </Card>
      ))}
    </Rows>
  );
}

function words(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
