// Small plots, drawn as SVG. Each says in words what it shows, and can be read as a table.

import {h, s} from './dom.js';
import {number} from './format.js';

/**
 * Columns over time. `columns`: [{label, values}], each value belongs to the series of its place. `series`: names, which
 * are CSS classes too. `format` writes one value.
 */
export function columns(title, summary, series, data, {format = number, name = title} = {}) {
  const top = niceTop(Math.max(...data.map(({values}) => sum(values)), 0));
  const width = 1000 / Math.max(data.length, 1);
  const bars = data.map((column, n) => s('g', {class: 'column'},
    s('title', {}, `${column.label}: ${series.map((each, m) => `${format(column.values[m])} ${each}`).join(', ')}`),
    s('rect', {x: n * width, y: 0, width, height: 100, class: 'hit'}),
    stacked(column.values, top).map(([value, y], m) => value > 0 && s('rect', {
      x: n * width + width * 0.12, y: 100 - y - value, width: width * 0.76, height: value, class: `series ${series[m]}`,
    }))));
  return h('figure', {class: 'plot'},
    h('figcaption', {}, h('strong', {}, title), ' ', series.length > 1 ? legend(series) : null),
    h('div', {class: 'frame'},
      h('div', {class: 'scale', 'aria-hidden': 'true'}, h('span', {}, format(top)), h('span', {}, '0')),
      s('svg', {viewBox: '0 0 1000 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': `${title}. ${summary}`},
        [0, 50, 100].map((y) => s('line', {x1: 0, x2: 1000, y1: y, y2: y, class: 'grid'})), bars)),
    h('div', {class: 'ends', 'aria-hidden': 'true'}, ends(data).map((label) => h('span', {}, label))),
    asTable(name, series, data, format));
}

/** A line without axes, beside the figures that it stands for. */
export function spark(values, label) {
  const known = values.filter((value) => value != null);
  const top = Math.max(...known, 0) || 1;
  const x = (n) => (n / Math.max(values.length - 1, 1)) * 96 + 2;
  const points = values.map((value, n) => (value == null ? null : `${x(n).toFixed(1)},${(22 - (value / top) * 20).toFixed(1)}`));
  return s('svg', {class: 'spark', viewBox: '0 0 100 24', role: 'img', 'aria-label': label},
    known.length ? s('polyline', {points: points.filter(Boolean).join(' ')}) : null,
    known.length === 1 ? s('circle', {cx: points.find(Boolean).split(',')[0], cy: points.find(Boolean).split(',')[1], r: 2}) : null);
}

const legend = (series) => h('span', {class: 'legend'}, series.map((each) => h('span', {class: `key ${each}`}, each)));

const asTable = (name, series, data, format) => h('details', {class: 'figures', 'data-name': `table ${name}`}, h('summary', {}, 'As a table'),
  h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${name}, as a table`}, h('table', {},
    h('caption', {class: 'unseen'}, name),
    h('thead', {}, h('tr', {}, ['When', ...series].map((each) => h('th', {scope: 'col'}, each)))),
    h('tbody', {}, data.filter(({values}) => sum(values) > 0).map(({label, values}) =>
      h('tr', {}, h('th', {scope: 'row'}, label), values.map((value) => h('td', {class: 'number'}, format(value)))))))));

const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);

function stacked(values, top) {
  let below = 0;
  return values.map((value) => {
    const height = ((value ?? 0) / top) * 100;
    below += height;
    return [height, below - height];
  });
}

const ends = (data) => (data.length > 2 ? [data[0], data[data.length >> 1], data.at(-1)] : data).map(({label}) => label);

/** The top of a scale: a round number that is not far above. */
export function niceTop(value) {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((step) => step * size).find((step) => step >= value * 0.999);
}
