import type { Answer } from '../../api/types.ts';
import { plainText } from '../../parts/foreign.ts';
import styles from './flows.module.css';

type Step = Answer<'flows', 'get'>['steps'][number];
type State = Step['state'];

const words: Record<State, string> = {
  ok: 'ok',
  failed: 'failed',
  skipped: 'not seen',
  waiting: 'not reached',
};

/** The order of an authorization as small marks; the one that failed stands out. */
export function SmallFunnel({ steps }: { steps: readonly { name: string; state: State }[] }) {
  const failed = steps.find(({ state }) => state === 'failed');
  const done = steps.filter(({ state }) => state === 'ok').length;
  const label = failed ? `failed at ${failed.name.replaceAll('_', ' ')}` : `${done} steps done`;
  return (
    <span className={styles.marks} role="img" aria-label={label} title={label}>
      {steps.map(({ name, state }) => (
        <span key={name} data-state={state} />
      ))}
    </span>
  );
}

/** Every step with what is known of it. */
export function Funnel({ steps, open }: { steps: readonly Step[]; open: boolean }) {
  const failed = steps.find(({ state }) => state === 'failed')?.name;
  const next = open ? steps.find(({ state }) => state === 'waiting')?.name : undefined;
  return (
    <ol className={styles.steps}>
      {steps.map(({ name, title, state, note, error }) => (
        <li
          key={name}
          data-state={name === next ? 'next' : state}
          {...((name === failed || name === next) && { 'aria-current': 'step' })}
        >
          {title}
          <small>
            {name === next ? 'waiting for it' : plainText(error ?? note ?? words[state])}
          </small>
        </li>
      ))}
    </ol>
  );
}
