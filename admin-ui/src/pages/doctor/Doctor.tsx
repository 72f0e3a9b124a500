import { Button, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { ErrorNote } from '../../parts/Confirm.tsx';
import { useForm } from '../../parts/FormDialog.tsx';
import { Rows } from '../../parts/layout.tsx';
import { Note } from '../../parts/Note.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { type Diagnosed, Diagnosis } from './Diagnosis.tsx';

/**
 * Examines without another click when one of our buttons led here. An address alone does not: a link
 * from elsewhere must not make this server send requests.
 */
function useAtOnce(may: boolean, run: () => Promise<void>): void {
  const state: unknown = useLocation().state;
  const begun = useRef(false);
  useEffect(() => {
    const asked = typeof state === 'object' && state !== null && 'examine' in state;
    if (!asked || !may || begun.current) return;
    begun.current = true;
    void run();
  }, [state, may, run]);
}

/** Probes an MCP server and this server as clients would. */
export default function Doctor() {
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const [diagnosis, setDiagnosis] = useState<Diagnosed>();
  const examine = useAction('doctor', 'examine');
  const first = { url: params.get('url') ?? '' };
  const { values, set, sending, error, run, send } = useForm(first, async ({ url }) => {
    const wanted = url.trim();
    setParams(wanted ? { url: wanted } : {}, { replace: true });
    setDiagnosis(await examine.mutateAsync({ body: wanted ? { url: wanted } : {} }));
  });
  useAtOnce(may('doctor', 'examine'), run);
  return (
    <>
      <PageHeader title="Doctor" />
      <Rows>
        <Card>
          {may('doctor', 'examine') ? (
            <form onSubmit={send}>
              <Rows>
                <TextInput
                  label="Address of an MCP server"
                  description="What people paste into their client. Empty: this server and every enabled resource"
                  placeholder="https://mcp.example.com/mcp"
                  value={values.url}
                  onChange={(event) => set('url', event.currentTarget.value)}
                />
                {error && <ErrorNote error={error} />}
                <div>
                  <Button type="submit" loading={sending}>
                    Examine
                  </Button>
                </div>
              </Rows>
            </form>
          ) : (
            <Note>Examining sends requests from this server and needs the role operator.</Note>
          )}
        </Card>
        {sending && <Note>Asking as Claude, ChatGPT, VS Code, Cursor and the others would …</Note>}
        {diagnosis && !sending && <Diagnosis diagnosis={diagnosis} />}
      </Rows>
    </>
  );
}
