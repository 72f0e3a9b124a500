import { ActionIcon, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { plainText, shorten } from './foreign.ts';
import { CopyIcon, TickIcon } from './icons.tsx';
import styles from './parts.module.css';

/** An id in mono, shortened in the middle; the button copies the whole. */
export function CopyableId({ value, limit = 28 }: { value: string; limit?: number }) {
  return (
    <span className={styles.copyable}>
      <ShortId value={value} limit={limit} />
      <CopyButton value={value} />
    </span>
  );
}

/** The same without the button, for places that are links already. */
export function ShortId({ value, limit = 28 }: { value: string; limit?: number }) {
  const clean = plainText(value);
  return (
    <code title={clean.slice(0, 1000)}>
      <bdi>{shorten(clean, limit)}</bdi>
    </code>
  );
}

export function CopyButton({ value, label = 'Copy' }: { value: string; label?: string }) {
  const { copied, copy } = useClipboard({ timeout: 1500 });
  return (
    <Tooltip label={copied ? 'Copied' : label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={24}
        aria-label={copied ? 'Copied' : label}
        onClick={(event) => {
          event.stopPropagation();
          copy(value);
        }}
      >
        {copied ? <TickIcon size={14} /> : <CopyIcon size={14} />}
      </ActionIcon>
    </Tooltip>
  );
}
