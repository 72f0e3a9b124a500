import { Checkbox, Textarea, TextInput } from '@mantine/core';
import type { FormProps } from '../../parts/FormDialog.tsx';
import { ClaimRows, ClaimsHook } from './ClaimFields.tsx';
import type { ResourceValues } from './resource-form.ts';
import styles from './resources.module.css';
import { AccessRows, ScopeRows } from './ScopeRows.tsx';
import { Exchange, Tokens } from './TokenFields.tsx';

export function ResourceFields(
  props: FormProps<ResourceValues> & { isNew?: boolean; hasSecret?: boolean },
) {
  const { values, set, isNew, hasSecret = false } = props;
  return (
    <>
      {isNew && <Address values={values} set={set} />}
      <TextInput
        label="Name"
        description="On the consent page; the short name when left empty"
        value={values.display_name}
        onChange={(event) => set('display_name', event.currentTarget.value)}
      />
      <Textarea
        label="Aliases"
        description="Other addresses of the same server, one a line; tokens keep the registered one"
        rows={2}
        value={values.aliases}
        onChange={(event) => set('aliases', event.currentTarget.value)}
      />
      <ScopeRows values={values} set={set} />
      <AccessRows values={values} set={set} />
      <Checkbox
        label="Consent asks which workspace to grant"
        description="Tokens then carry workspace_id"
        checked={values.workspace_scoped}
        onChange={(event) => set('workspace_scoped', event.currentTarget.checked)}
      />
      <Tokens values={values} set={set} />
      <Exchange values={values} set={set} />
      <ClaimRows values={values} set={set} />
      <ClaimsHook values={values} set={set} hasSecret={hasSecret} />
    </>
  );
}

function Address({ values, set }: FormProps<ResourceValues>) {
  return (
    <>
      <TextInput
        label="Address of the MCP server"
        description="What people paste into their client, and the audience of its tokens"
        placeholder="https://mcp.example.com/mcp"
        required
        data-autofocus
        value={values.uri}
        onChange={(event) => set('uri', event.currentTarget.value)}
      />
      <div className={styles.pair}>
        <TextInput
          label="Short name"
          description="Lower-case letters, digits and hyphens; it never changes"
          placeholder="boards"
          required
          value={values.slug}
          onChange={(event) => set('slug', event.currentTarget.value)}
        />
      </div>
    </>
  );
}
