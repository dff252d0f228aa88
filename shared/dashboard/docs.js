// The API's own document as a page: each operation with its parameters, examples in three languages, and a form to try it.

import {h, swap} from './dom.js';
import {EXAMPLES} from './snippets.js';

const STORED = 'nightshift.key';
const list = document.getElementById('operations');
const find = document.getElementById('find');
const language = document.getElementById('language');
const key = document.getElementById('key');
const BASE = location.href.replace(/\/docs.*$/, '');

let known = {paths: {}, components: {schemas: {}}};

async function start() {
  key.value = sessionStorage.getItem(STORED) ?? '';
  key.addEventListener('input', () => (key.value ? sessionStorage.setItem(STORED, key.value) : sessionStorage.removeItem(STORED)));
  find.addEventListener('input', draw);
  language.addEventListener('change', draw);
  try {
    const response = await fetch('openapi.json');
    if (!response.ok) throw new Error(`the app answered ${response.status}`);
    known = await response.json();
    draw();
    document.getElementById(decodeURIComponent(location.hash.slice(1)))?.setAttribute('open', '');
  } catch (error) {
    swap(list, h('p', {class: 'notice bad'}, `openapi.json cannot be had: ${error.message}.`));
  }
  list.removeAttribute('aria-busy');
}

function draw() {
  const wanted = find.value.trim().toLowerCase();
  const opened = new Set([...list.querySelectorAll('details.operation[open]')].map((each) => each.id));
  const byTag = new Map();
  for (const each of operations()) {
    const text = `${each.method} ${each.path} ${each.summary} ${each.tags} ${each.operationId}`.toLowerCase();
    if (!wanted || text.includes(wanted)) byTag.set(each.tags[0], [...(byTag.get(each.tags[0]) ?? []), each]);
  }
  swap(list, byTag.size ? [...byTag].map(([tag, some]) => h('section', {}, h('h2', {}, tag), some.map((each) => view(each, opened)))) : h('p', {class: 'empty'}, 'No operation is called so.'));
}

const operations = () => Object.entries(known.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({...operation, path, method: method.toUpperCase()})));

/** One operation; what it holds is made when it is opened. */
function view(operation, opened) {
  const inner = h('div', {});
  const fill = () => { if (!inner.hasChildNodes()) inner.append(...parts(operation)); };
  const element = h('details', {class: 'operation', id: operation.operationId, open: opened.has(operation.operationId), ontoggle: fill},
    h('summary', {}, h('span', {class: 'method'}, operation.method), ' ', h('code', {}, `/api${operation.path}`), ' ', operation.summary), inner);
  if (opened.has(operation.operationId)) fill();
  return element;
}

function parts(operation) {
  const {parameters = [], requestBody: body, responses, security = []} = operation;
  const media = body?.content['application/json'];
  const who = security.some((each) => each.operatorKey) ? 'For operators: the operator’s key.' : security.length ? 'Any function key.' : 'Needs no key.';
  return [
    h('p', {class: 'note'}, who),
    parameters.length ? [h('h3', {}, 'Parameters'), h('dl', {}, parameters.map(parameter))] : null,
    media ? [h('h3', {}, 'Body'), h('pre', {tabindex: '0', 'aria-label': 'Body'}, shape(media.schema))] : null,
    h('h3', {}, 'Example'), h('pre', {tabindex: '0', 'aria-label': 'Example', class: 'example'}, EXAMPLES[language.value](request(operation))),
    h('h3', {}, 'Answers'), h('dl', {}, Object.entries(responses).map(answer)),
    h('h3', {}, 'Try it'), form(operation),
  ].flat().filter(Boolean);
}

const parameter = ({name, in: where, required, description, schema, example}) => [
  h('dt', {}, h('code', {}, name), h('span', {class: 'note'}, ` ${where}${required ? ', needed' : ''}`)),
  h('dd', {}, description ?? '', ' ', h('code', {}, shape(schema)), example === undefined ? '' : [', such as ', h('code', {}, String(example))])];

const answer = ([status, {description, content = {}}]) => [
  h('dt', {}, h('code', {}, status), ` ${description}`),
  h('dd', {}, Object.entries(content).map(([type, {schema}]) => h('details', {}, h('summary', {}, type), h('pre', {tabindex: '0', 'aria-label': `Answer ${status}`}, shape(schema)))))];

/** What a request would be like: by the examples, or by what a form holds. */
function request({path, method, parameters = [], requestBody}, values = {}, body) {
  const said = (where) => parameters.filter((each) => each.in === where && (values[each.name] || (where === 'path' && each.example !== undefined)))
    .map((each) => [each.name, values[each.name] || String(each.example)]);
  const inPath = Object.fromEntries(said('path'));
  const query = new URLSearchParams(said('query')).toString();
  const sample = Object.values(requestBody?.content['application/json']?.examples ?? {})[0]?.value;
  return {
    method, headers: said('header'), url: BASE + path.replace(/\/$/, '').replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(inPath[name] ?? name)) + (query ? `?${query}` : ''),
    body: body ?? (requestBody && sample !== undefined ? JSON.stringify(sample, null, 2) : null),
  };
}

function form(operation) {
  const {parameters = []} = operation;
  const inputs = new Map(parameters.map((each) => [each.name, h('input', {name: each.name, 'aria-label': each.name, placeholder: each.example === undefined ? '' : String(each.example)})]));
  const sample = request(operation).body;
  const body = sample === null ? null : h('textarea', {'aria-label': 'Body to send', spellcheck: 'false'}, sample);
  const said = h('div', {'aria-live': 'polite'});
  const send = async (event) => {
    event.preventDefault();
    const values = Object.fromEntries([...inputs].map(([name, input]) => [name, input.value]));
    const {url, method, headers, body: text} = request(operation, values, body?.value);
    swap(said, h('p', {}, 'Asking …'));
    try {
      const response = await fetch(url, {method, body: text, cache: 'no-store', headers: {...Object.fromEntries(headers), ...(text === null ? {} : {'Content-Type': 'application/json'}), ...(key.value ? {'x-functions-key': key.value} : {})}});
      swap(said, h('p', {}, h('strong', {}, `${response.status} ${response.statusText}`), ` ${response.headers.get('content-type') ?? ''}`), h('pre', {class: 'answer', tabindex: '0', 'aria-label': 'Answer'}, pretty(await response.text())));
    } catch (error) {
      swap(said, h('p', {class: 'notice bad'}, `No answer: ${error.message}`));
    }
  };
  return h('form', {onsubmit: send}, [...inputs].map(([name, input]) => h('p', {}, h('label', {}, h('code', {}, name), ' ', input))),
    body ? h('p', {}, body) : null, h('button', {type: 'submit', class: 'primary'}, `Send ${operation.method}`), said);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A schema in the manner of a type: what may be left out has a question mark. */
function shape(schema, depth = 0) {
  if (!schema) return 'anything';
  if (schema.$ref) return depth > 3 ? schema.$ref.split('/').pop() : shape(known.components.schemas[schema.$ref.split('/').pop()], depth);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((each) => shape(each, depth)).join(' | ');
  if (schema.type === 'array') return `[${shape(schema.items, depth)}]`;
  if (!schema.properties) return schema.type === 'object' ? '{…}' : `${schema.type ?? 'anything'}${schema.format ? ` (${schema.format})` : ''}`;
  const indent = '  '.repeat(depth + 1);
  const lines = Object.entries(schema.properties).map(([name, each]) => `${indent}${name}${schema.required?.includes(name) ? '' : '?'}: ${shape(each, depth + 1)}${each.description ? `  — ${each.description}` : ''}`);
  return `{\n${lines.join('\n')}\n${'  '.repeat(depth)}}`;
}

start();
