import { Button } from '@mantine/core';
import { useMay } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText } from '../../parts/foreign.ts';
import { Rows } from '../../parts/layout.tsx';
import { Note } from '../../parts/Note.tsx';

const url = (text: string | null) =>
  text && (
    <code>
      <Foreign text={text} limit={120} />
    </code>
  );

/** Reads its metadata and keys now. */
export function ProviderTest({ id }: { id: string }) {
  const may = useMay();
  const test = useAction('identity-providers', 'test', { loud: true });
  if (!may('identity-providers', 'test')) return null;
  const { data } = test;
  return (
    <Card
      title="Does it work?"
      action={
        <Button size="xs" loading={test.isPending} onClick={() => test.mutate({ params: { id } })}>
          Test now
        </Button>
      }
    >
      {data ? (
        <Rows>
          <Note tone={data.ok ? 'good' : 'bad'}>
            {data.ok
              ? `People can sign in there. It publishes ${data.keys ?? 0} keys.`
              : plainText(data.problem ?? '')}
          </Note>
          {data.ok && (
            <Fields
              items={[
                ['Signs people in at', url(data.authorization_endpoint)],
                ['Gives tokens at', url(data.token_endpoint)],
                ['Tells about people at', url(data.userinfo_endpoint)],
                ['Its keys', url(data.jwks_uri)],
                ['ID tokens are signed with', data.algorithms.map(plainText).join(', ')],
              ]}
            />
          )}
          {data.warnings.map((warning) => (
            <Note key={warning} tone="warn">
              {plainText(warning)}
            </Note>
          ))}
        </Rows>
      ) : (
        <p className="muted">Its metadata and keys are read, nobody is signed in.</p>
      )}
    </Card>
  );
}
