// A request as it is made in three languages.

const KEY = 'x-functions-key';

const quoted = (text) => `'${text.replace(/'/g, `'\\''`)}'`;

function curl({method, url, headers, body}) {
  const lines = [`curl -s ${method === 'GET' ? '' : `-X ${method} `}${quoted(url)}`, `-H "${KEY}: $KEY"`];
  for (const [name, value] of headers) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== null) lines.push(`-H 'Content-Type: application/json'`, `-d ${quoted(body)}`);
  return lines.join(' \\\n  ');
}

function python({method, url, headers, body}) {
  const all = [`"${KEY}": os.environ["KEY"]`, ...headers.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)];
  const json = body === null ? '' : `\n    json=json.loads(${JSON.stringify(body.replace(/\s*\n\s*/g, ' '))}),`;
  return `${body === null ? '' : 'import json\n'}import os\n\nimport httpx\n\nanswer = httpx.request(\n    ${JSON.stringify(method)},\n    ${JSON.stringify(url)},\n    headers={${all.join(', ')}},${json}\n)\nanswer.raise_for_status()\nprint(answer.text)`;
}

function javascript({method, url, headers, body}) {
  const all = [`'${KEY}': process.env.KEY`, ...headers.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`), ...(body === null ? [] : [`'Content-Type': 'application/json'`])];
  const text = body === null ? '' : `\n  body: JSON.stringify(${body.replace(/\n/g, '\n  ')}),`;
  return `const answer = await fetch(${JSON.stringify(url)}, {\n  method: ${JSON.stringify(method)},\n  headers: {${all.join(', ')}},${text}\n});\nif (!answer.ok) throw new Error(\`\${answer.status}\`);\nconsole.log(await answer.text());`;
}

/** By language: the text that makes a request ({method, url, headers, body}). */
export const EXAMPLES = {curl, python, javascript};
