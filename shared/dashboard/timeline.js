// A job's attempts drawn over time. The list of events beside it says the same in words.

import {h, s} from './dom.js';
import * as format from './format.js';
import {badge} from './parts.js';

const ENDS = {completed: 'completed', failed: 'failed', cancelled: 'cancelled', retry: 'retried', snoozed: 'snoozed', suspended: 'snoozed', 'goes on': 'snoozed', released: 'released'};

/** Attempts by the events of a history: [{attempt, start, end, outcome, detail}]; the last may still run. */
export function attemptsOf(events) {
  const attempts = [];
  for (const {at, event, attempt, detail} of events) {
    const open = attempts.at(-1)?.end == null ? attempts.at(-1) : null;
    if (event.startsWith('claimed')) {
      if (open) Object.assign(open, {end: at, outcome: 'lapsed', detail: 'its worker vanished'});
      attempts.push({attempt, start: at, end: null, outcome: 'running'});
    } else if (open && event in ENDS) {
      Object.assign(open, {end: at, outcome: ENDS[event], detail});
    }
  }
  return attempts;
}

/** The drawing: one bar for each attempt, from the submission to the end, or now; `gaveUp`: when the last one gave up. */
export function timeline(events, gaveUp = null) {
  const attempts = attemptsOf(events);
  if (gaveUp && attempts.length && !attempts.at(-1).end) Object.assign(attempts.at(-1), {end: gaveUp, outcome: 'failed'});
  if (!attempts.length) return h('p', {class: 'empty'}, 'No attempt has begun.');
  const begin = Date.parse(events[0].at);
  const end = Math.max(...attempts.map((each) => (each.end ? Date.parse(each.end) : Date.now())), begin + 1);
  const row = 16;
  const height = attempts.length * row;
  const x = (moment) => ((moment - begin) / (end - begin)) * 1000;
  const bars = attempts.map((each, n) => {
    const start = Date.parse(each.start);
    const stop = each.end ? Date.parse(each.end) : Date.now();
    return s('rect', {
      x: Math.min(x(start), 994), y: n * row + 3, width: Math.max(x(stop) - x(start), 6), height: row - 6, class: `bar ${each.outcome}`,
    }, s('title', {}, sentence(each)));
  });
  const names = attempts.map(sentence).join(' ');
  return h('figure', {class: 'timeline'},
    s('svg', {viewBox: `0 0 1000 ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `Attempts over ${format.duration((end - begin) / 1000)}. ${names}`, style: {height: `${height}px`}}, bars),
    h('figcaption', {}, h('span', {}, format.hour(begin)), h('span', {}, `${format.duration((end - begin) / 1000)} from submission`), h('span', {}, format.hour(end))));
}

const sentence = ({attempt, start, end, outcome}) =>
  `Attempt ${attempt}: ${outcome}${end ? ` after ${format.duration(format.between(start, end))}` : ''}.`;

/** The events in words. */
export const events = (items) => h('ol', {class: 'events'}, items.map(({at, event, attempt, detail}) => h('li', {},
  h('time', {datetime: at, title: format.exact(at)}, at.slice(11, 23)), ' ',
  event in ENDS && ENDS[event] === event ? badge(event) : h('strong', {}, event),
  attempt ? h('span', {class: 'note'}, ` attempt ${attempt}`) : null,
  detail ? h('span', {class: 'detail'}, ` ${detail}`) : null)));
