import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useAction } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { ErrorNote } from '../../parts/Confirm.tsx';
import { useForm } from '../../parts/FormDialog.tsx';
import { Rows } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { type Inspected, Inspection } from './Inspection.tsx';

/** Paste a token or its claims: whether it is good, what it says, and where it came from. */
export default function Inspector() {
  const [inspection, setInspection] = useState<Inspected>();
  const inspect = useAction('inspector', 'inspect');
  const { values, set, sending, error, send } = useForm({ token: '' }, async ({ token }) => {
    setInspection(await inspect.mutateAsync({ body: { token } }));
  });
  return (
    <>
      <PageHeader title="Token inspector" />
      <Rows>
        <Card>
          <form onSubmit={send}>
            <Rows>
              <Textarea
                label="Token, or its claims as JSON"
                description="It is not kept and not logged, and stays as alive as it was."
                rows={5}
                spellCheck={false}
                autoComplete="off"
                required
                styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12.5 } }}
                value={values.token}
                onChange={(event) => set('token', event.currentTarget.value)}
              />
              {error && <ErrorNote error={error} />}
              <div>
                <Button type="submit" loading={sending} disabled={!values.token.trim()}>
                  Explain
                </Button>
              </div>
            </Rows>
          </form>
        </Card>
        {inspection && <Inspection inspection={inspection} />}
      </Rows>
    </>
  );
}
