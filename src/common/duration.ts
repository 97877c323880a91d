const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `42s`, `3m07s`, `2h05m`, `3d04h`: rounded once, to what is shown, so that no part is ever full. */
export function formatDuration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < MINUTE) return `${s}s`;
  if (s < HOUR) return pair(s, MINUTE, 'm', 1, 's');
  const minutes = MINUTE * Math.round(seconds / MINUTE);
  if (minutes < DAY) return pair(minutes, HOUR, 'h', MINUTE, 'm');
  return pair(HOUR * Math.round(seconds / HOUR), DAY, 'd', HOUR, 'h');
}

function pair(seconds: number, large: number, largeSign: string, small: number, smallSign: string): string {
  const rest = String((seconds % large) / small).padStart(2, '0');
  return `${Math.floor(seconds / large)}${largeSign}${rest}${smallSign}`;
}

/** How long ago something was, in its largest unit and never rounded up: `12 s ago`, `5 min ago`, `3 h ago`, `2 days ago`. */
export function formatAge(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < MINUTE) return `${Math.floor(s)} s ago`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min ago`;
  if (s < 2 * DAY) return `${Math.floor(s / HOUR)} h ago`;
  return `${Math.floor(s / DAY)} days ago`;
}
