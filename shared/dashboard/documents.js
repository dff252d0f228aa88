// Documents: how the queue stands, what is in it, and the way in for more.

import {get, post, upload} from './api.js';
import {announce, h, swap} from './dom.js';
import * as format from './format.js';
import {action, badge, confirmed, jobLink, section, table, trouble, when} from './parts.js';
import {lookAgain, poll} from './poller.js';
import {to} from './router.js';

const STATES = {pending: 'Pending', in_progress: 'In progress', completed: 'Completed', failed: 'Failed'};
const LARGEST = 100 * 1024 * 1024;
const PACE = {fastest: 3_000, slowest: 30_000};

export const kindOf = (status) => ({in_progress: 'running', pending: 'submitted'})[status] ?? status;
export const stateBadge = (status) => badge(STATES[status].toLowerCase(), kindOf(status));
export const documentLink = (one) => h('a', {href: to(`/documents/${one.document_id}`), 'data-focus': one.document_id}, one.name);

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 1048576 ? `${Math.round(count / 1024)} KiB` : `${(count / 1048576).toFixed(1)} MiB`;
}

export async function showDocuments(main, {signal, params}) {
  const counts = h('div', {class: 'counts'});
  const said = h('div', {class: 'said'});
  const list = h('div', {class: 'list', 'aria-busy': 'true'});
  const pages = h('div', {class: 'actions'});
  main.append(uploads(signal), section('Queue', counts, buttons(said), said), search(params), list, pages);
  await poll(async () => {
    try {
      const [stats, page] = await Promise.all([get('documents/queue', {signal}), get('documents', {signal, params: {limit: 50, ...params}})]);
      if (stats.changed || !counts.childNodes.length) swap(counts, tiles(stats.body));
      if (page.changed || list.hasAttribute('aria-busy')) draw(list, pages, page.body, params);
      return stats.changed || page.changed;
    } catch (error) {
      if (signal.aborted) return 'done';
      list.removeAttribute('aria-busy');
      swap(list, trouble(error));
      return error.status === 404 ? 'done' : false;
    }
  }, signal, PACE);
}

const tiles = (stats) => h('dl', {class: 'tiles'}, Object.entries(STATES).map(([name, label]) =>
  h('div', {class: name === 'failed' && stats[name] ? 'bad' : null}, h('dt', {}, label), h('dd', {}, format.number(stats[name])))));

function buttons(said) {
  const tell = (text) => { swap(said, h('p', {class: 'notice good'}, text)); announce(text); lookAgain(); };
  return h('div', {class: 'actions'},
    action('Work on it now', async () => {
      const done = await post('documents/process-queue');
      tell(`${format.plural(done.processed, 'document')} processed: ${done.completed} completed, ${done.failed} failed.`);
    }, {into: said}),
    action('Retry what failed', async () => {
      let queued = 0;
      let cursor = null;
      do {
        const answer = await post('documents/reprocess', {status: 'failed', limit: 500, cursor});
        queued += answer.queued;
        cursor = answer.cursor;
      } while (cursor);
      tell(`${format.plural(queued, 'document')} will be read again.`);
    }, {into: said}),
    action('Clear what failed', async () => {
      if (!(await confirmed('Clear what failed?', 'The documents that failed are deleted with their files. This cannot be taken back.', 'Delete them'))) return;
      let deleted = 0;
      let more = true;
      while (more) {
        const answer = await post('documents?status=failed', '', {method: 'DELETE'});
        deleted += answer.deleted;
        more = answer.more;
      }
      tell(`${format.plural(deleted, 'document')} deleted.`);
    }, {danger: true, into: said}));
}

function draw(list, pages, {items, cursor}, params) {
  const first = list.hasAttribute('aria-busy');
  list.removeAttribute('aria-busy');
  swap(list, table('Documents', [
    ['Document', (one) => [documentLink(one), one.title ? h('div', {class: 'detail'}, one.title) : null], 'wide'],
    ['State', (one) => stateBadge(one.status)],
    ['Format', (one) => one.format || '–'],
    ['Language', (one) => one.language ?? '–', 'extra'],
    ['Pages', (one) => (one.pages ? format.number(one.pages) : '–'), 'number extra'],
    ['Size', (one) => bytes(one.bytes), 'number extra'],
    ['Uploaded', (one) => when(one.uploaded_at)],
    ['Job', (one) => (one.job_id ? jobLink(one.job_id) : '–'), 'extra'],
    ['Says', (one) => one.words, 'wide says'],
  ], items, {empty: 'No document fits.'}));
  swap(pages,
    params.cursor ? h('a', {class: 'button', href: to('/documents', {...params, cursor: ''}), 'data-focus': 'newest'}, 'Newest') : null,
    cursor ? h('a', {class: 'button', href: to('/documents', {...params, cursor}), 'data-focus': 'older'}, 'Older') : null);
  if (first) announce(`${format.plural(items.length, 'document')} shown${cursor ? ', and there are more' : ''}`);
}

function search(params) {
  const field = (label, control) => h('div', {class: 'field'}, h('label', {for: control.id}, label), control);
  return h('form', {class: 'search', role: 'search', onsubmit: searched}, [
    field('State', h('select', {id: 'status', name: 'status', 'data-search': true}, [h('option', {value: ''}, 'any'),
      Object.entries(STATES).map(([value, label]) => h('option', {value, selected: value === params.status}, label))])),
    field('Format', h('input', {id: 'format', name: 'format', value: params.format, size: 10, placeholder: 'pdf', spellcheck: 'false', autocomplete: 'off'})),
    field('Language', h('input', {id: 'language', name: 'language', value: params.language, size: 6, placeholder: 'en', spellcheck: 'false', autocomplete: 'off'})),
    h('div', {class: 'actions'}, h('button', {type: 'submit', class: 'primary'}, 'Search'), h('a', {class: 'button', href: '#/documents'}, 'Clear')),
  ]);
}

function searched(event) {
  event.preventDefault();
  location.hash = to('/documents', Object.fromEntries(new FormData(event.target)));
}

/** Where files are dropped, or chosen, one after the other; each says how far it is. */
function uploads(signal) {
  const files = h('ul', {class: 'events uploads'});
  const input = h('input', {id: 'files', type: 'file', multiple: true, onchange: () => { take([...input.files]); input.value = ''; }});
  const drop = h('div', {class: 'drop'}, h('label', {for: 'files'}, 'Drop files here, or choose some'), input);
  const over = (on) => (event) => { event.preventDefault(); drop.classList.toggle('over', on); };
  drop.addEventListener('dragover', over(true));
  drop.addEventListener('dragleave', over(false));
  drop.addEventListener('drop', (event) => { over(false)(event); take([...event.dataTransfer.files]); });
  let turn = Promise.resolve();

  function take(chosen) {
    for (const file of chosen) {
      const line = h('li', {}, h('span', {}, `${file.name} `), h('span', {class: 'note'}, `${bytes(file.size)}, waits`));
      files.append(line);
      turn = turn.then(() => send(file, line, signal));
    }
  }
  return section('Upload', drop, files);
}

async function send(file, line, signal) {
  if (signal.aborted) return;
  if (file.size > LARGEST) {
    line.replaceChildren(`${file.name}: `, h('span', {class: 'note'}, `${bytes(file.size)} are too many for one request: use POST /api/documents/uploads`));
    return;
  }
  const bar = h('progress', {max: 1, value: 0, 'aria-label': `Upload of ${file.name}`});
  line.replaceChildren(`${file.name} `, bar);
  try {
    const ticket = await upload(`documents?${new URLSearchParams({name: file.name})}`, file, {signal, progress: (share) => { bar.value = share; }});
    const text = ticket.duplicate ? 'was here already' : 'is in the queue';
    line.replaceChildren(documentLink({...ticket, name: file.name}), ` ${text}`);
    announce(`${file.name} ${text}`);
    lookAgain();
  } catch (error) {
    if (signal.aborted) return;
    line.replaceChildren(`${file.name}: `, trouble(error));
    announce(`${file.name}: ${error.message}`);
  }
}
