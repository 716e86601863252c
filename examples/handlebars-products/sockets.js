import { parseProduct } from './products.js';

/**
 * Handlers for what pages may emit. The returned value is the acknowledgement. The event in the log notifies all pages.
 */
export function products(store) {
  return {
    messages: {
      create(_connection, input) {
        const { product, errors } = parseProduct(input);
        return errors ? { errors } : { product: store.create(product) };
      },
      delete(_connection, id) {
        return { deleted: Number.isSafeInteger(id) && store.remove(id) };
      },
    },
  };
}
