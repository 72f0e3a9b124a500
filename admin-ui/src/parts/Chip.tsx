import type { ReactNode } from 'react';
import styles from './parts.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'accent' | 'plain';

/** One word about a state. The word says it, the colour only helps. */
export function Chip({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={styles.chip} data-tone={tone}>
      {children}
    </span>
  );
}

const tones: Readonly<Record<string, Tone>> = {
  active: 'good',
  succeeded: 'good',
  ok: 'good',
  enabled: 'good',
  current: 'good',
  PASS: 'good',
  delivered: 'good',
  suspended: 'warn',
  open: 'accent',
  next: 'accent',
  pending: 'accent',
  WARN: 'warn',
  retiring: 'warn',
  revoked: 'bad',
  disabled: 'bad',
  failed: 'bad',
  dead: 'bad',
  FAIL: 'bad',
};

/** The status of a row, everywhere in the same colours. */
export function Status({ value }: { value: string }) {
  return <Chip tone={tones[value] ?? 'plain'}>{value.replaceAll('_', ' ')}</Chip>;
}
