import { useAction } from '../../api/query.ts';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { ResourceFields } from './ResourceFields.tsx';
import { emptyResource, type ResourceDetail, settingsOf, valuesOf } from './resource-form.ts';

interface DialogProps {
  opened: boolean;
  onClose: () => void;
}

export function CreateResource({
  onMade,
  ...dialog
}: DialogProps & { onMade: (id: string) => void }) {
  const create = useAction('resources', 'create', { done: 'The MCP server is registered.' });
  return (
    <FormDialog
      {...dialog}
      title="Register MCP server"
      action="Register"
      size="xl"
      initial={emptyResource()}
      submit={async (values) => {
        const { slug, uri } = values;
        const body = { slug: slug.trim(), uri: uri.trim(), ...settingsOf(values) };
        onMade((await create.mutateAsync({ body })).id);
      }}
    >
      {(form) => <ResourceFields {...form} isNew />}
    </FormDialog>
  );
}

export function EditResource({ resource, ...dialog }: DialogProps & { resource: ResourceDetail }) {
  const update = useAction('resources', 'update', { done: 'The resource is changed.' });
  return (
    <FormDialog
      {...dialog}
      title="Edit resource"
      action="Save"
      size="xl"
      initial={valuesOf(resource)}
      submit={(values) =>
        update.mutateAsync({
          params: { id: resource.id },
          body: settingsOf(values),
          ifMatch: resource.version,
        })
      }
    >
      {(form) => <ResourceFields {...form} hasSecret={resource.claims_hook !== null} />}
    </FormDialog>
  );
}
