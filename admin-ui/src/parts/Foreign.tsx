import { plainText, shorten } from './foreign.ts';

/** A text that a stranger chose: isolated, cleaned and cut; the whole of it on hover. */
export function Foreign({
  text,
  limit = 60,
  fallback = '—',
}: {
  text: string | null | undefined;
  limit?: number;
  fallback?: string;
}) {
  const clean = text ? plainText(text) : '';
  if (!clean) return <span className="dim">{fallback}</span>;
  const shown = shorten(clean, limit);
  // Columns of lists cut it once more, by their width.
  return <bdi {...(clean.length > 10 && { title: clean.slice(0, 1000) })}>{shown}</bdi>;
}
