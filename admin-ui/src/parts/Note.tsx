import type { ReactNode } from 'react';
import type { Tone } from './Chip.tsx';
import { CareIcon, TickIcon } from './icons.tsx';
import styles from './parts.module.css';

/** A sentence that deserves a look; `bad` ones are read out at once. */
export function Note({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <div className={styles.note} data-tone={tone} role={tone === 'bad' ? 'alert' : 'note'}>
      {(tone === 'warn' || tone === 'bad') && <CareIcon />}
      {tone === 'good' && <TickIcon />}
      <div>{children}</div>
    </div>
  );
}
