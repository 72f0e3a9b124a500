import { Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { exactTime, relativeTime } from './time.ts';

/** A time as one speaks of it, exact on hover and focus. `never` is said where there is none. */
export function RelativeTime({
  time,
  never = 'never',
}: {
  time: string | null | undefined;
  never?: string;
}) {
  const now = useNow(30_000);
  if (!time) return <span className="dim">{never}</span>;
  const date = new Date(time);
  return (
    <Tooltip label={exactTime(date)}>
      <time dateTime={time}>{relativeTime(date, now)}</time>
    </Tooltip>
  );
}

function useNow(every: number): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
