import { CopyButton } from './CopyableId.tsx';
import styles from './parts.module.css';

const turning = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Escapes what would turn the direction of the text or be invisible; it stays the same JSON. */
const visible = (json: string) =>
  json.replace(turning, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A structure as indented JSON. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  const text = visible(JSON.stringify(value, null, 2) ?? 'null');
  return (
    <div className={styles.json}>
      <CopyButton value={text} label={`Copy ${label}`} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <section tabIndex={0} aria-label={label}>
        <pre>
          <code>{text}</code>
        </pre>
      </section>
    </div>
  );
}
