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
  return <bdi {...(shown !== clean && { title: clean.slice(0, 1000) })}>{shown}</bdi>;
}
