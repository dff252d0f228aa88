// What differs between two texts, line by line: the longest common subsequence of their lines.

import {h} from './dom.js';

const MOST = 4_000_000; // cells of the table: beyond that, all of the middle counts as changed

/** [{sign, text}]: sign is ' ', '-' or '+'. */
export function diff(before, after) {
  const old = before.split('\n');
  const now = after.split('\n');
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const lines = (texts, sign) => texts.map((text) => ({sign, text}));
  return [
    ...lines(old.slice(0, start), ' '),
    ...middle(old.slice(start, old.length - end), now.slice(start, now.length - end)),
    ...lines(old.slice(old.length - end), ' '),
  ];
}

function middle(old, now) {
  if (old.length * now.length > MOST) return [...old.map((text) => ({sign: '-', text})), ...now.map((text) => ({sign: '+', text}))];
  const common = lengths(old, now);
  const found = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) { found.push({sign: ' ', text: old[i]}); i += 1; j += 1; }
    else if (j >= now.length || (i < old.length && common[i + 1][j] >= common[i][j + 1])) found.push({sign: '-', text: old[i++]});
    else found.push({sign: '+', text: now[j++]});
  }
  return found;
}

/** lengths[i][j]: how many lines old[i:] and now[j:] have in common, in order. */
function lengths(old, now) {
  const table = Array.from({length: old.length + 1}, () => new Uint32Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      table[i][j] = old[i] === now[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  return table;
}

const NAMES = {' ': '', '-': 'removed', '+': 'added'};

/** The difference to be read; null where there is none. */
export function diffView(before, after) {
  const lines = diff(before, after);
  if (lines.every(({sign}) => sign === ' ')) return null;
  return h('pre', {class: 'diff', tabindex: '0', role: 'region', 'aria-label': 'What was changed'}, lines.map(({sign, text}) =>
    h('span', {class: `line ${NAMES[sign]}`}, sign === ' ' ? null : h('span', {class: 'unseen'}, `${NAMES[sign]}: `), h('span', {'aria-hidden': 'true'}, `${sign} `), text, '\n')));
}
