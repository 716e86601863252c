import { Router } from 'express';
import { parseProduct } from '../products.js';

/** The same operations over HTTP. Rows and events are written in the same way as for the socket. */
export function productRoutes(products) {
  const router = Router();

  router.get('/', (_request, response) => response.json(products.all()));

  router.post('/', (request, response) => {
    const { product, errors } = parseProduct(request.body);
    const isForm = Boolean(request.is('urlencoded'));
    if (errors && isForm) {
      const { title, price } = request.body;
      const entered = { title, price };
      return response.status(422).render('home', { title: 'Products', products: products.all(), errors, entered });
    }
    if (errors) return response.status(422).json({ errors });
    const created = products.create(product);
    if (isForm) return response.redirect(303, '/home');
    response.status(201).location(`/products/${created.id}`).json(created);
  });

  router.delete('/:id', (request, response) => {
    response.status(products.remove(Number(request.params.id)) ? 204 : 404).end();
  });

  return router;
}
