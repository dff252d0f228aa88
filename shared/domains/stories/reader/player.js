// An entry's audio, fetched with the key and played from memory; the sentence that is heard is lit.

import {download} from '../../dashboard/api.js';
import {h} from '../../dashboard/dom.js';

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

/** The player of an entry. `light(sentence)` is told which sentence is heard, or null. */
export function player(path, entry, light) {
  const {audio} = entry;
  if (audio.status !== 'ready') {
    const why = audio.status === 'unavailable' ? 'There is no audio yet. It is tried again later.' : 'The audio is being made.';
    return h('p', {class: 'player note'}, why);
  }
  const heard = h('audio', {preload: 'none'});
  const time = h('span', {class: 'time', 'aria-hidden': 'true'}, `0:00 / ${clock(audio.seconds)}`);
  const place = h('input', {
    type: 'range', min: 0, max: audio.seconds, step: 0.1, value: 0, 'aria-label': 'Place in the audio', 'aria-valuetext': '0:00',
  });
  const play = h('button', {type: 'button', class: 'play', 'data-play': entry.id, onclick: toggle}, 'Listen');
  const said = h('span', {class: 'said', role: 'status'});
  const sentences = audio.marks.filter((mark) => mark.word == null);
  let loading = null;

  function load() {
    loading ??= download(`${path}/audio`).then((blob) => { heard.src = URL.createObjectURL(blob); });
    return loading;
  }

  async function toggle() {
    if (!heard.paused) return heard.pause();
    said.textContent = '';
    try {
      await load();
      for (const other of document.querySelectorAll('audio')) if (other !== heard) other.pause();
      await heard.play();
    } catch (error) {
      loading = null;
      said.textContent = error.message || 'The audio cannot be played.';
    }
  }

  function show() {
    const at = heard.currentTime;
    place.value = at;
    place.setAttribute('aria-valuetext', clock(at));
    time.textContent = `${clock(at)} / ${clock(audio.seconds)}`;
    const now = sentences.find((mark) => mark.start <= at && at < mark.end);
    light(heard.paused ? null : (now?.sentence ?? null));
  }

  heard.addEventListener('timeupdate', show);
  heard.addEventListener('play', () => { play.textContent = 'Pause'; show(); });
  heard.addEventListener('pause', () => { play.textContent = 'Listen'; show(); });
  place.addEventListener('input', async () => {
    const wanted = Number(place.value);
    try {
      await load();
      if (heard.readyState === 0) await new Promise((resolve) => { heard.addEventListener('loadedmetadata', resolve, {once: true}); heard.load(); });
      heard.currentTime = wanted;
    } catch (error) {
      said.textContent = error.message;
    }
  });
  return h('div', {class: 'player', role: 'group', 'aria-label': 'Audio'}, play, place, time, heard, said);
}
