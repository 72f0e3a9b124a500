import { Button, NativeSelect, PasswordInput, TextInput } from '@mantine/core';
import { CopyButton } from '../../parts/CopyableId.tsx';
import type { FormProps } from '../../parts/FormDialog.tsx';
import { claimSources, needsDetail, newClaim, newHookSecret } from './claims-form.ts';
import { RowsEditor } from './RowsEditor.tsx';
import type { ResourceValues } from './resource-form.ts';
import styles from './resources.module.css';

const details: Readonly<Record<string, { label: string; placeholder: string }>> = {
  value: { label: 'Value', placeholder: 'pro' },
  group: { label: 'Group', placeholder: 'admins' },
  groups: { label: 'Groups', placeholder: 'red, blue' },
};

/** What its tokens tell beside the standard claims, one row each. */
export function ClaimRows({ values, set }: FormProps<ResourceValues>) {
  return (
    <RowsEditor
      legend="Further claims"
      hint="Everybody who holds a token can read them: add what the server needs."
      noun="claim"
      rows={values.claims}
      onChange={(rows) => set('claims', rows)}
      create={newClaim}
    >
      {(row, change) => (
        <>
          <TextInput
            label="Claim"
            placeholder="plan"
            required
            value={row.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
          <NativeSelect
            label="Says"
            data={[...claimSources]}
            value={row.source}
            onChange={(event) => change({ source: event.currentTarget.value })}
          />
          {needsDetail(row.source) && (
            <TextInput
              {...details[row.source]}
              required
              value={row.detail}
              onChange={(event) => change({ detail: event.currentTarget.value })}
            />
          )}
        </>
      )}
    </RowsEditor>
  );
}

/** A service of one's own that is asked for claims whenever a token is issued. */
export function ClaimsHook({
  values,
  set,
  hasSecret,
}: FormProps<ResourceValues> & { hasSecret: boolean }) {
  return (
    <fieldset className={styles.group}>
      <legend>Ask your own service for claims</legend>
      <TextInput
        label="Address of the service"
        description="It is asked at every token for this server. Empty: nobody is asked"
        placeholder="https://hooks.example.com/claims"
        value={values.hook_url}
        onChange={(event) => set('hook_url', event.currentTarget.value)}
      />
      {values.hook_url.trim() && (
        <>
          <div className={styles.pair}>
            <NativeSelect
              label="Wait at most"
              data={['1', '2', '3', '4', '5'].map((seconds) => ({
                value: seconds,
                label: `${seconds} second${seconds === '1' ? '' : 's'}`,
              }))}
              value={values.hook_timeout}
              onChange={(event) => set('hook_timeout', event.currentTarget.value)}
            />
            <NativeSelect
              label="Without an answer"
              data={[
                { value: 'deny', label: 'no token is issued' },
                { value: 'skip', label: 'a token without its claims is issued' },
              ]}
              value={values.hook_on_failure}
              onChange={(event) =>
                set('hook_on_failure', event.currentTarget.value === 'skip' ? 'skip' : 'deny')
              }
            />
          </div>
          <Secret values={values} set={set} hasSecret={hasSecret} />
        </>
      )}
    </fieldset>
  );
}

function Secret({ values, set, hasSecret }: FormProps<ResourceValues> & { hasSecret: boolean }) {
  return (
    <div className={styles.secret}>
      <PasswordInput
        label="Secret"
        description={`Signs what is asked; it is not shown again. ${hasSecret ? 'Left empty, the one before stays' : 'Copy it to the service now'}`}
        autoComplete="off"
        required={!hasSecret}
        value={values.hook_secret}
        onChange={(event) => set('hook_secret', event.currentTarget.value)}
      />
      <Button variant="default" onClick={() => set('hook_secret', newHookSecret())}>
        Make one
      </Button>
      {values.hook_secret && <CopyButton value={values.hook_secret} label="Copy secret" />}
    </div>
  );
}
