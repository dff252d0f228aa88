// A month of occurrences: a grid of days, Monday first, each with the states of what fell on it.

import {h} from './dom.js';

const MONTH = new Intl.DateTimeFormat('en-GB', {month: 'long', year: 'numeric', timeZone: 'UTC'});
const DAYS = [['Mon', 'Monday'], ['Tue', 'Tuesday'], ['Wed', 'Wednesday'], ['Thu', 'Thursday'], ['Fri', 'Friday'], ['Sat', 'Saturday'], ['Sun', 'Sunday']];
const MOST = 4; // occurrences of a day that are shown each; more are counted by state

/** `month`: its first moment, UTC. `entry(occurrence)` makes what stands for one. */
export function calendar(month, occurrences, entry) {
  const byDay = Map.groupBy ? Map.groupBy(occurrences, dayOf) : grouped(occurrences);
  const today = new Date().toISOString().slice(0, 10);
  const rows = weeks(month).map((days) => h('tr', {}, days.map((day) => (day
    ? h('td', {class: day === today ? 'today' : null, 'aria-current': day === today ? 'date' : null},
        h('span', {class: 'day'}, String(Number(day.slice(8)))), ofDay(byDay.get(day) ?? [], entry))
    : h('td', {class: 'outside'})))));
  return h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Calendar of ${monthName(month)}`},
    h('table', {class: 'calendar'}, h('caption', {class: 'unseen'}, `Occurrences in ${monthName(month)}`),
      h('thead', {}, h('tr', {}, DAYS.map(([short, long]) => h('th', {scope: 'col', abbr: long}, short)))),
      h('tbody', {}, rows)));
}

export const monthName = (month) => MONTH.format(month);

export const monthOf = (text) => {
  const now = new Date();
  const [year, month] = /^\d{4}-\d{2}$/.test(text ?? '') ? text.split('-').map(Number) : [now.getUTCFullYear(), now.getUTCMonth() + 1];
  return new Date(Date.UTC(year, month - 1, 1));
};

export const nextMonth = (month, step = 1) => new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + step, 1));

export const monthKey = (month) => month.toISOString().slice(0, 7);

const dayOf = ({scheduled_at: at}) => at.slice(0, 10);

function grouped(occurrences) {
  const found = new Map();
  for (const each of occurrences) found.set(dayOf(each), [...(found.get(dayOf(each)) ?? []), each]);
  return found;
}

function ofDay(occurrences, entry) {
  const ordered = [...occurrences].sort((one, other) => one.scheduled_at.localeCompare(other.scheduled_at));
  if (ordered.length <= MOST) return ordered.map(entry);
  const counts = {};
  for (const {state} of ordered) counts[state] = (counts[state] ?? 0) + 1;
  return Object.entries(counts).map(([state, count]) => h('span', {class: `occurrence ${state}`}, String(count), h('span', {class: 'state'}, ` ${state}`)));
}

/** The weeks of a month, each seven dates or nulls. */
function weeks(month) {
  const days = [];
  for (let day = new Date(month); day.getUTCMonth() === month.getUTCMonth(); day = new Date(day.getTime() + 86_400_000)) days.push(day.toISOString().slice(0, 10));
  const padded = [...Array((month.getUTCDay() + 6) % 7).fill(null), ...days];
  while (padded.length % 7) padded.push(null);
  return Array.from({length: padded.length / 7}, (_, n) => padded.slice(n * 7, n * 7 + 7));
}
