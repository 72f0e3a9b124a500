import { useAction } from '../../api/query.ts';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { ClientFields } from './ClientFields.tsx';
import { bodyOf, emptyClient } from './client-form.ts';

/** A client that an operator registers. */
export function CreateClient({
  opened,
  onClose,
  onMade,
}: {
  opened: boolean;
  onClose: () => void;
  onMade: (id: string, secret: string | undefined) => void;
}) {
  const create = useAction('clients', 'create', { done: 'The client is made.' });
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title="Create client"
      action="Create client"
      initial={emptyClient}
      submit={async (values) => {
        const { client_id, ...body } = bodyOf(values);
        const made = await create.mutateAsync({
          body: { ...body, ...(client_id && { client_id }) },
        });
        onMade(made.id, made.client_secret);
      }}
    >
      {(form) => <ClientFields {...form} isNew />}
    </FormDialog>
  );
}
