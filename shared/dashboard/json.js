// JSON without loss: numbers that JavaScript cannot hold keep the digits in which they were written.

const keeps = typeof JSON.rawJSON === 'function';

const exact = (_, value, context) =>
  keeps && typeof value === 'number' && context?.source && isLost(context.source, value) ? JSON.rawJSON(context.source) : value;

const isLost = (source, value) => String(value) !== source && source.replace(/[eE].*|\D/g, '').replace(/^0+/, '').length > 15;

export const parse = (text) => JSON.parse(text, exact);

export const pretty = (value) => JSON.stringify(value, null, 2);

/** What is wrong with a text that is to be a JSON object; null where nothing is. */
export function problemOf(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? null : 'A payload is a JSON object: { … }';
  } catch (error) {
    return `Not JSON: ${error.message}`;
  }
}
