import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createApp } from '../src/app.js';
import { openStore } from '../src/store.js';

const server = createApp(
  openStore(':memory:'),
  join(import.meta.dirname, '..', 'public', 'index.html'),
);
let url;

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test('a posted todo is listed', async () => {
  const posted = await fetch(`${url}/todos`, { method: 'POST', body: '{"title":"sail"}' });
  assert.equal(posted.status, 201);
  assert.deepEqual(
    (await (await fetch(`${url}/todos`)).json()).map(({ title }) => title),
    ['sail'],
  );
});

test('a todo without a title is refused', async () => {
  const answer = await fetch(`${url}/todos`, { method: 'POST', body: '{}' });
  assert.equal(answer.status, 400);
});

test('the page is served', async () => {
  assert.match(await (await fetch(url)).text(), /<h1>Todo/);
});
