// One dead letter: what happened, and its payload to be edited, checked and replayed.

import {get, post} from './api.js';
import {announce, h, swap} from './dom.js';
import {Editor} from './editor.js';
import * as format from './format.js';
import {action, confirmed, facts, failure, jobLink, section, when} from './parts.js';
import {resultView} from './replaying.js';
import {to} from './router.js';
import {events, timeline} from './timeline.js';

export async function showLetter(main, {id, signal}) {
  const parts = Object.fromEntries(['head', 'repair', 'past'].map((name) => [name, h('div', {class: name})]));
  main.append(parts.head, parts.repair, parts.past);
  const letter = await draw(parts, id, signal);
  const editor = new Editor(await payloadOf(letter, signal));
  swap(parts.repair, repair(letter, editor, () => draw(parts, id, signal)));
}

async function draw(parts, id, signal) {
  const {body: letter} = await get(`dead-letters/${id}`, {signal});
  swap(parts.head, ...head(letter));
  swap(parts.past, ...past(letter));
  return letter;
}

function head(letter) {
  return [
    h('p', {class: 'title'}, h('code', {class: 'id'}, letter.id), ' ', h('strong', {}, letter.kind ?? `not readable, on ${letter.queue}`), ' ',
      h('span', {class: 'badge failed'}, letter.reason)),
    failure(letter.error),
    facts([
      ['Recorded', when(letter.recorded_at)],
      ['Job', letter.job_id && jobLink(letter.job_id)],
      ['Attempts', format.number(letter.attempts)],
      ['Queue', letter.queue],
      ['Payload version', letter.payload_version],
      ['Looks like', h('a', {href: to('/dead-letters', {fingerprint: letter.fingerprint})}, letter.fingerprint)],
      ['Replayed', letter.replays.length ? letter.replays.map((each) => h('div', {}, when(each.at), ` by ${each.by}`, each.edited ? ', edited, ' : ', ', jobLink(each.job_id, 'its job'))) : 'never'],
    ]),
  ];
}

function repair(letter, editor, redraw) {
  const said = h('div', {class: 'said', role: 'status'});
  const send = async (dryRun) => {
    if (!editor.valid) {
      editor.focus();
      throw new Error('The payload is not JSON yet.');
    }
    swap(said);
    const result = await post(`dead-letters/${letter.id}/replay`, editor.request(dryRun));
    swap(said, resultView(result));
    if (!dryRun) {
      announce('Replayed');
      await redraw();
    }
  };
  return section('Edit and replay', editor.element,
    h('div', {class: 'actions'},
      action('Validate (dry run)', () => send(true), {into: said}),
      action('Replay', async () => {
        const text = editor.edited ? 'Its job runs again with the edited payload.' : 'Its job runs again with the payload as it was.';
        if (await confirmed('Replay this dead letter?', text, 'Replay')) await send(false);
      }, {primary: true, into: said}),
      action('Reset', async () => { editor.reset(); swap(said); })),
    said);
}

function past(letter) {
  const history = letter.history ?? [];
  return [
    history.length ? section('Attempts', timeline(history, letter.recorded_at)) : null,
    history.length ? section('History', events(history)) : null,
    letter.message_text ? h('details', {'data-name': 'message'}, h('summary', {}, 'Message, as it goes on the queue'),
      h('pre', {class: 'json wrap', tabindex: '0', role: 'region', 'aria-label': 'Message'}, letter.message_text)) : null,
  ].filter(Boolean);
}

/** A large payload is not in the dead letter; its job knows it. */
async function payloadOf(letter, signal) {
  if (letter.payload || !letter.payload_blob || !letter.job_id) return letter.payload ?? null;
  try {
    return (await get(`jobs/${letter.job_id}/payload`, {signal})).body.payload;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

