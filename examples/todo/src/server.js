// Starts the app: PORT, HOST and DATA (a folder, or :memory:) come from the environment.
import { join } from 'node:path';
import { createApp } from './app.js';
import { openStore } from './store.js';

const { PORT = '8080', HOST = '0.0.0.0', DATA = ':memory:' } = process.env;
const store = openStore(DATA === ':memory:' ? DATA : join(DATA, 'todo.db'));
const server = createApp(store, join(import.meta.dirname, '..', 'public', 'index.html'));
server.listen(Number(PORT), HOST, () =>
  console.log(`todo listens on http://${HOST}:${server.address().port}`),
);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => store.close());
    server.closeAllConnections();
  });
}
