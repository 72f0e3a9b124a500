import { Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core';
import type { FormProps } from '../../parts/FormDialog.tsx';
import type { ResourceValues } from './resource-form.ts';
import styles from './resources.module.css';

/** What its tokens are like and who checks them. */
export function Tokens({ values, set }: FormProps<ResourceValues>) {
  return (
    <fieldset className={styles.group}>
      <legend>Tokens</legend>
      <div className={styles.pair}>
        <NativeSelect
          label="Format"
          value={values.token_format}
          onChange={(event) =>
            set('token_format', event.currentTarget.value === 'opaque' ? 'opaque' : 'jwt')
          }
          data={[
            { value: 'jwt', label: 'JWT: the server checks the signature itself' },
            { value: 'opaque', label: 'Opaque: the server asks us each time' },
          ]}
        />
        <TextInput
          label="Prefix of opaque tokens"
          value={values.token_prefix}
          onChange={(event) => set('token_prefix', event.currentTarget.value)}
        />
        <TextInput
          label="Lifetime in seconds"
          description="Empty: as configured for all"
          inputMode="numeric"
          value={values.access_ttl}
          onChange={(event) => set('access_ttl', event.currentTarget.value.replace(/\D/g, ''))}
        />
        <Textarea
          label="Clients that are this server"
          description="Their client_ids, one a line: they may introspect"
          rows={2}
          value={values.clients}
          onChange={(event) => set('clients', event.currentTarget.value)}
        />
      </div>
      <Checkbox
        label="Tokens must be bound to a key (DPoP)"
        description="Clients that cannot do DPoP are refused"
        checked={values.dpop === 'required'}
        onChange={(event) => set('dpop', event.currentTarget.checked ? 'required' : 'supported')}
      />
    </fieldset>
  );
}

const policies: readonly { value: ResourceValues['exchange']; label: string }[] = [
  { value: 'off', label: 'off: no token is exchanged for one of this server' },
  { value: 'required', label: 'with the consent of the person' },
  { value: 'operator', label: 'as listed here, without asking the person' },
];

/** Whether tokens of other servers may be exchanged for one of this. */
export function Exchange({ values, set }: FormProps<ResourceValues>) {
  return (
    <fieldset className={styles.group}>
      <legend>Token exchange</legend>
      <NativeSelect
        label="Other tokens may be exchanged for one of this server"
        data={[...policies]}
        value={values.exchange}
        onChange={(event) => {
          const chosen = policies.find(({ value }) => value === event.currentTarget.value);
          set('exchange', chosen?.value ?? 'off');
        }}
      />
      {values.exchange !== 'off' && (
        <div className={styles.pair}>
          <Textarea
            label="Clients that may exchange"
            description="client_ids, one a line"
            rows={2}
            value={values.exchange_clients}
            onChange={(event) => set('exchange_clients', event.currentTarget.value)}
          />
          <Textarea
            label="Of these, without an act claim"
            description="They stand in for the person: name few"
            rows={2}
            value={values.impersonation}
            onChange={(event) => set('impersonation', event.currentTarget.value)}
          />
        </div>
      )}
    </fieldset>
  );
}
