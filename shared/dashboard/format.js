// Numbers, durations and moments in words.

const whole = new Intl.NumberFormat('en-GB');
const day = new Intl.DateTimeFormat('en-GB', {weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC'});
const clock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', timeZone: 'UTC'});
const moment = new Intl.DateTimeFormat('en-GB', {year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: 'UTC', timeZoneName: 'short'});

export const number = (value) => (value == null ? '–' : whole.format(value));

export const percent = (share) => (share == null ? '–' : `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`);

/** Seconds as a person would say them. */
export function duration(seconds) {
  if (seconds == null) return '–';
  const sign = seconds < 0 ? '−' : '';
  const value = Math.abs(seconds);
  if (value < 0.0005) return '0 s';
  if (value < 1) return `${sign}${Math.round(value * 1000)} ms`;
  if (value < 10) return `${sign}${value.toFixed(1)} s`;
  if (value < 100) return `${sign}${Math.round(value)} s`;
  if (value < 5400) return `${sign}${Math.round(value / 60)} min`;
  if (value < 129600) return `${sign}${Math.round(value / 3600)} h`;
  return `${sign}${Math.round(value / 86400)} d`;
}

export function ago(when, now = Date.now()) {
  const seconds = (now - Date.parse(when)) / 1000;
  if (Math.abs(seconds) < 5) return 'now';
  const span = Math.abs(seconds) < 100 ? `${Math.round(Math.abs(seconds))} s` : duration(Math.abs(seconds));
  return seconds > 0 ? `${span} ago` : `in ${span}`;
}

export const exact = (when) => moment.format(new Date(when));
export const hour = (when) => clock.format(new Date(when));
export const date = (when) => day.format(new Date(when));
export const between = (start, end) => (Date.parse(end) - Date.parse(start)) / 1000;
/** An id as short as it still tells: its end, since the beginning of ids is the time. */
export const short = (id) => (id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id);
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
