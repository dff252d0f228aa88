// The app's API: one key for the tab, ETags, and errors that say what the app said.

import {parse} from './json.js';

const STORED = 'nightshift.key';
const seen = new Map(); // path -> {etag, body, failed}: what a 304 stands for, and whether an error came after it

/** An answer that is no success. `fields`: what does not fit, field by field. */
export class Problem extends Error {
  constructor(status, title, detail, fields = []) {
    super(detail || title);
    Object.assign(this, {status, title, fields});
  }
}

export const hasKey = () => Boolean(sessionStorage.getItem(STORED));

export function useKey(key) {
  seen.clear();
  if (key) sessionStorage.setItem(STORED, key);
  else sessionStorage.removeItem(STORED);
}

let askForKey = async () => false;
/** Names the function that asks for another key: `await ask(why)` says whether there is one. */
export const onRefused = (ask) => { askForKey = ask; };

/** What is at a path; `changed` says whether it differs from the last time, which may have been an error. */
export async function get(path, {signal, params} = {}) {
  const address = withParams(path, params);
  const known = seen.get(address);
  const failed = known?.failed;
  if (known) known.failed = true;
  const response = await ask('GET', address, {signal, headers: known?.etag ? {'If-None-Match': known.etag} : {}});
  if (response.status === 304 && known) {
    known.failed = false;
    return {body: known.body, changed: Boolean(failed)};
  }
  const text = await response.text();
  const changed = failed || text !== known?.text;
  const body = parse(text);
  seen.set(address, {etag: response.headers.get('ETag'), body, text});
  if (seen.size > 200) seen.delete(seen.keys().next().value);
  return {body, changed};
}

/** Text that is at a path. */
export async function getText(path, {signal, params} = {}) {
  return (await ask('GET', withParams(path, params), {signal, headers: {}})).text();
}

/** Sends a file, and says meanwhile which share of it is sent. `fetch` does not tell. */
export async function upload(path, file, {signal, progress}) {
  for (;;) {
    const {status, text} = await sent(path, file, signal, progress);
    if (status >= 200 && status < 300) return parse(text);
    const problem = await problemOf(new Response(text || null, {status}));
    if (!asksForKey('POST', status) || !(await askForKey(problem))) throw problem;
  }
}

function sent(path, file, signal, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const key = sessionStorage.getItem(STORED);
    request.open('POST', new URL(path, location.href));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    if (key) request.setRequestHeader('x-functions-key', key);
    request.upload.onprogress = ({loaded, total}) => progress(total ? loaded / total : 1);
    request.onload = () => resolve({status: request.status, text: request.responseText});
    request.onerror = () => reject(new Problem(0, 'No answer', 'The app does not answer: the file was not sent.'));
    request.onabort = () => reject(new DOMException('left', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort(), {once: true});
    request.send(file);
  });
}

/** Sends a JSON text (or what becomes one), and returns what was answered. */
export async function post(path, content = {}, {method = 'POST'} = {}) {
  const body = typeof content === 'string' ? content : JSON.stringify(content);
  const response = await ask(method, path, {body, headers: {'Content-Type': 'application/json'}});
  const text = await response.text();
  return text ? parse(text) : null;
}

/** What is at a path, as bytes with their type: for what is shown or played, and not read. */
export async function download(path) {
  return (await ask('GET', path, {headers: {}})).blob();
}

async function ask(method, path, options) {
  for (;;) {
    const response = await send(method, path, options);
    if (response.ok || response.status === 304) return response;
    const problem = await problemOf(response);
    if (!asksForKey(method, response.status) || !(await askForKey(problem))) throw problem;
  }
}

/** What is only shown can do without what a better key would show; what is to be done cannot. */
const asksForKey = (method, status) => status === 401 || (status === 403 && method !== 'GET');

async function send(method, path, {signal, body, headers}) {
  const key = sessionStorage.getItem(STORED);
  try {
    return await fetch(new URL(path, location.href), {
      method, signal, body, cache: 'no-store', credentials: 'same-origin', redirect: 'error',
      headers: {...headers, ...(key ? {'x-functions-key': key} : {})},
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, 'No answer', 'The app does not answer. It is asked again in a moment.');
  }
}

async function problemOf(response) {
  const fallback = {401: 'A key is needed, or this one is not known.', 403: 'This key may not do that.', 404: 'Not found here.'};
  try {
    const {title, detail, errors} = await response.json();
    return new Problem(response.status, title ?? '', detail || fallback[response.status] || title || '', errors);
  } catch {
    return new Problem(response.status, `Answer ${response.status}`, fallback[response.status] ?? `The app answered ${response.status}.`);
  }
}

function withParams(path, params = {}) {
  const chosen = Object.entries(params).filter(([, value]) => value !== '' && value != null);
  return chosen.length ? `${path}?${new URLSearchParams(chosen)}` : path;
}
