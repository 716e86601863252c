import { parseProduct } from './products.js';

/** What pages may emit; what is returned is the acknowledgement. Nobody is told here: the event in the log tells all. */
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
