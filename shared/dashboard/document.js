// One document: what is known of it, its text by pages or in chunks, what happened to it; again, with a password, or not at all.

import {get, getText, post} from './api.js';
import {announce, h, swap} from './dom.js';
import {bytes, stateBadge} from './documents.js';
import * as format from './format.js';
import {action, confirmed, facts, jobLink, section, table, trouble, when} from './parts.js';
import {lookAgain, poll} from './poller.js';
import {to} from './router.js';

const PACE = {fastest: 2_000, slowest: 30_000};
const SHOWN = 20_000;

export async function showDocument(main, {id, signal, params, heading}) {
  const path = `documents/${encodeURIComponent(id)}`;
  const about = h('div', {'aria-busy': 'true'});
  const said = h('div', {class: 'said'});
  const again = h('div', {});
  const text = h('div', {});
  const history = h('div', {});
  main.append(about, again, said, text, history);
  let read = null;
  await poll(async () => {
    try {
      const {body, changed} = await get(path, {signal});
      if (changed || about.hasAttribute('aria-busy')) {
        about.removeAttribute('aria-busy');
        heading.textContent = body.name;
        swap(about, head(body));
        drawAgain(again, path, body, said);
        swap(history, section('History', happened(body)));
        const version = body.current && `${body.current.number} ${body.read_at}`;
        if (version && version !== read) {
          read = version;
          await drawText(text, path, id, body, params, signal);
        }
      }
      return changed;
    } catch (error) {
      if (signal.aborted) return 'done';
      about.removeAttribute('aria-busy');
      swap(about, trouble(error));
      return error.status === 404 ? 'done' : false;
    }
  }, signal, PACE);
}

function head(one) {
  const links = one.links.length ? h('details', {'data-name': 'links'}, h('summary', {}, format.plural(one.links.length, 'link')),
    h('ul', {}, one.links.map((url) => h('li', {class: 'detail'}, url)))) : null;
  return section('Document',
    h('div', {class: 'title'}, stateBadge(one.status), one.title ? h('strong', {}, one.title) : null, h('span', {class: 'id'}, one.document_id)),
    one.status === 'failed' ? h('p', {class: 'notice bad'}, one.words) : null,
    one.status === 'failed' && one.current ? h('p', {class: 'note'}, `What is shown is version ${one.current.number}, which was read.`) : null,
    facts([
      ['Format', one.format || null], ['Language', one.language], ['Pages', one.pages || null], ['Characters', one.characters ? format.number(one.characters) : null],
      ['Tables', one.tables || null], ['Author', one.author || null], ['Created', one.created || null], ['Size', bytes(one.bytes)],
      ['Version', (one.waiting ?? one.current)?.number], ['Uploaded', when(one.uploaded_at)], ['Read', one.read_at ? when(one.read_at) : null],
      ['Job', one.job_id ? jobLink(one.job_id) : null],
    ]), links);
}

/** Kept as it is while somebody types a password into it. */
function drawAgain(element, path, one, said) {
  if (element.contains(document.activeElement) && document.activeElement.type === 'password') return;
  const tell = (words) => { swap(said, h('p', {class: 'notice good'}, words)); announce(words); lookAgain(); };
  const ask = async (content) => { await post(`${path}/reprocess`, content); tell('It will be read again.'); };
  swap(element, one.outcome === 'encrypted' && one.status === 'failed' ? passwordForm(ask, said) : null,
    h('div', {class: 'actions'},
      action('Read again', () => ask({}), {into: said}),
      action('Delete', async () => {
        if (!(await confirmed('Delete this document?', 'It is deleted with its file and its text. This cannot be taken back.', 'Delete it'))) return;
        await post(path, '', {method: 'DELETE'});
        announce('Deleted');
        location.hash = to('/documents');
      }, {danger: true, into: said})));
}

function passwordForm(ask, said) {
  const input = h('input', {id: 'password', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, 'data-focus': 'password'});
  return h('form', {class: 'search', onsubmit: async (event) => {
    event.preventDefault();
    const password = input.value;
    input.value = '';
    input.blur();
    try {
      await ask({password});
    } catch (error) {
      swap(said, trouble(error));
    }
  }}, h('div', {class: 'field'}, h('label', {for: 'password'}, 'Password of the document'), input),
    h('div', {class: 'actions'}, h('button', {type: 'submit', class: 'primary'}, 'Open it')));
}

async function drawText(element, path, id, one, params, signal) {
  const page = Number(params.page) || null;
  const inChunks = params.as === 'chunks';
  const link = (words, more, current) => h('a', {href: to(`/documents/${id}`, more), 'aria-current': current ? 'true' : null}, words);
  const choice = h('span', {class: 'choice'}, link('Text', {}, !inChunks && !page), one.pages > 1 ? link('By pages', {page: 1}, Boolean(page)) : null, link('Chunks', {as: 'chunks'}, inChunks));
  const shown = inChunks ? await chunks(path, id, params, signal) : await words(path, id, one, page, signal);
  swap(element, h('section', {}, h('div', {class: 'head-row'}, h('h2', {}, 'Text'), choice), shown));
}

async function words(path, id, one, page, signal) {
  const text = await getText(`${path}/text`, {signal, params: {page}});
  const step = (words, number) => h('a', {class: 'button', href: to(`/documents/${id}`, {page: number}), 'data-focus': words}, words);
  return [
    page ? h('div', {class: 'actions'}, page > 1 ? step('Page before', page - 1) : null, h('span', {class: 'note'}, `Page ${page} of ${one.pages}`), page < one.pages ? step('Page after', page + 1) : null) : null,
    h('pre', {class: 'json wrap', tabindex: '0', role: 'region', 'aria-label': 'Text of the document'}, text.slice(0, SHOWN) || ' '),
    text.length > SHOWN ? h('p', {class: 'note'}, `The first ${format.number(SHOWN)} of ${format.number(text.length)} characters.`) : null,
  ];
}

async function chunks(path, id, params, signal) {
  const {body} = await get(`${path}/chunks`, {signal, params: {limit: 20, cursor: params.cursor}});
  return [
    table('Chunks', [
      ['Chunk', (each) => format.number(each.number + 1), 'number'],
      ['Page', (each) => each.page ?? '–', 'number'],
      ['Under', (each) => each.headings.join(' › ') || '–', 'wide'],
      ['Text', (each) => each.text, 'wide'],
    ], body.items, {empty: 'There are none.'}),
    h('div', {class: 'actions'}, h('span', {class: 'note'}, `${format.plural(body.total, 'chunk')} in all`),
      body.cursor ? h('a', {class: 'button', href: to(`/documents/${id}`, {as: 'chunks', cursor: body.cursor}), 'data-focus': 'more'}, 'More') : null),
  ];
}

const happened = (one) => h('ol', {class: 'events'}, [...one.events].reverse().map(({at, event, detail}) =>
  h('li', {}, when(at), ' ', event, detail ? [': ', h('span', {class: 'detail'}, detail)] : null)));
