/** How long ago a moment was, in words.
 *
 *     ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:05:00Z')) === '5 min ago'
 */
export function ago(moment: string, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(moment)) / 1000));
  if (seconds < 10) {
    return 'just now';
  }
  if (seconds < 60) {
    return `${seconds} s ago`;
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min ago`;
  }
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : new Date(moment).toLocaleDateString();
}

/** A moment as a person's clock shows it: `2026-01-31 14:05`. */
export function moment(text: string): string {
  const time = new Date(text);
  const two = (number: number) => String(number).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
