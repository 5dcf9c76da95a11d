// The list of things to do, in one SQLite table.
import { DatabaseSync } from 'node:sqlite';

export function openStore(path) {
  const db = new DatabaseSync(path);
  db.exec(
    'CREATE TABLE IF NOT EXISTS todo (id INTEGER PRIMARY KEY, title TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0)',
  );
  const insert = db.prepare('INSERT INTO todo (title) VALUES (?) RETURNING id, title, done');
  const all = db.prepare('SELECT id, title, done FROM todo ORDER BY id');
  const mark = db.prepare('UPDATE todo SET done = ? WHERE id = ? RETURNING id, title, done');
  const remove = db.prepare('DELETE FROM todo WHERE id = ?');
  const shape = (row) => row && { id: row.id, title: row.title, done: row.done === 1 };
  return {
    add: (title) => shape(insert.get(title)),
    list: () => all.all().map(shape),
    mark: (id, done) => shape(mark.get(done ? 1 : 0, id)),
    remove: (id) => remove.run(id).changes === 1,
    close: () => db.close(),
  };
}
