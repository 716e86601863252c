import { createOutbox } from '@pregon/outbox';
import Database from 'libsql';

const MAX_TITLE = 100;
const MAX_PRICE = 1_000_000;

/**
 * The table of products. Each change and its event are one transaction, and committed events reach the log even after
 * kill -9.
 */
export function openProducts(file, log) {
  const db = new Database(file, { timeout: 5_000 });
  db.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS products (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, price REAL NOT NULL)`);
  const outbox = createOutbox({ source: '/products' });
  outbox.migrate(db);
  const relay = outbox.relay({ db, log });
  relay.start();

  const insert = db.prepare('INSERT INTO products (title, price) VALUES (?, ?)');
  const erase = db.prepare('DELETE FROM products WHERE id = ?');
  const select = db.prepare('SELECT id, title, price FROM products ORDER BY id');

  const create = db.transaction(({ title, price }) => {
    const product = { id: Number(insert.run(title, price).lastInsertRowid), title, price };
    outbox.add(db, { ...about(product.id, 'created'), type: 'ProductWasCreated', data: product });
    return product;
  });

  const remove = db.transaction((id) => {
    if (erase.run(id).changes === 0) return false;
    outbox.add(db, { ...about(id, 'deleted'), type: 'ProductWasDeleted', data: { id } });
    return true;
  });

  return {
    all: () => select.all(),
    create: (product) => create(product),
    /** Returns false if there is no product with this id. */
    remove: (id) => remove(id),
    snapshot: () => outbox.snapshot(db, () => select.all()),
    async close() {
      await relay.stop();
      db.close();
    },
  };
}

/** Parses user input: returns the product, or the errors by field. */
export function parseProduct(input) {
  const title = typeof input?.title === 'string' ? input.title.trim() : '';
  const price = isAmount(input?.price) ? Math.round(Number(input.price) * 100) / 100 : Number.NaN;
  const errors = {};
  if (title === '' || title.length > MAX_TITLE) errors.title = `A title has 1 to ${MAX_TITLE} characters.`;
  if (!(price >= 0 && price <= MAX_PRICE)) errors.price = `A price is a number from 0 to ${MAX_PRICE}.`;
  return Object.keys(errors).length > 0 ? { errors } : { product: { title, price } };
}

function isAmount(value) {
  return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
}

function about(id, what) {
  return { exchange: 'products', topic: `product.${id}.${what}`, subject: `product/${id}` };
}
