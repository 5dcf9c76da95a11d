// The HTTP interface: a page, and JSON under /todos.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const MAX_BODY = 64 * 1024;

async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY)
      throw Object.assign(new Error('the body is larger than 64 KiB'), { status: 413 });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString() || '{}');
  } catch {
    throw Object.assign(new Error('the body is not JSON'), { status: 400 });
  }
}

function send(response, status, body) {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
}

async function route(store, page, request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  const id = Number(pathname.match(/^\/todos\/(\d+)$/)?.[1]);
  if (request.method === 'GET' && pathname === '/') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  } else if (request.method === 'GET' && pathname === '/health') {
    send(response, 200, { status: 'ok' });
  } else if (request.method === 'GET' && pathname === '/todos') {
    send(response, 200, store.list());
  } else if (request.method === 'POST' && pathname === '/todos') {
    const { title } = await readJson(request);
    if (typeof title !== 'string' || title.trim() === '')
      send(response, 400, { error: 'title: a text is needed' });
    else send(response, 201, store.add(title.trim()));
  } else if (request.method === 'PATCH' && id) {
    const todo = store.mark(id, (await readJson(request)).done === true);
    send(response, todo ? 200 : 404, todo ?? { error: `there is no todo ${id}` });
  } else if (request.method === 'DELETE' && id) {
    const gone = store.remove(id);
    send(response, gone ? 204 : 404, gone ? undefined : { error: `there is no todo ${id}` });
  } else {
    send(response, 404, { error: `${request.method} ${pathname} is not here` });
  }
}

export function createApp(store, pagePath) {
  const page = readFileSync(pagePath);
  return createServer((request, response) => {
    route(store, page, request, response).catch((error) =>
      send(response, error.status ?? 500, { error: error.message }),
    );
  });
}
