// Elements made of names and text. Text is only ever text: nothing here reads markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element. Properties that are functions listen (`onclick`), `style` is an object of CSS properties. */
export const h = (name, properties, ...children) => filled(document.createElement(name), properties, children);

/** An SVG element. */
export const s = (name, properties, ...children) => filled(document.createElementNS(SVG, name), properties, children);

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) set(element, name, value);
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false && child !== ''));
  return element;
}

function set(element, name, value) {
  if (value == null || value === false) return;
  if (typeof value === 'function') element.addEventListener(name.slice(2), value);
  else if (name === 'style') Object.entries(value).forEach(([key, each]) => element.style.setProperty(key, each));
  else element.setAttribute(name, value === true ? '' : value);
}

/**
 * Puts new content into an element. Focus stays where it was, if the new content has an element of the same
 * `data-focus`, and so do open details of the same name.
 */
export function swap(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  const open = new Set([...element.querySelectorAll('details[open][data-name]')].map((each) => each.dataset.name));
  element.replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false));
  for (const each of element.querySelectorAll('details[data-name]')) if (open.has(each.dataset.name)) each.open = true;
  if (focused) element.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
}

/** Tells those who listen to the page what has changed on it. */
export function announce(text) {
  const announcer = document.getElementById('announcer');
  announcer.textContent = '';
  requestAnimationFrame(() => { announcer.textContent = text; });
}
