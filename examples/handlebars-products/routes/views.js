import { Router } from 'express';

export function viewRoutes(products) {
  const router = Router();
  router.get(['/', '/home'], (_request, response) => {
    response.render('home', { title: 'Products', products: products.all() });
  });
  router.get('/realtimeproducts', (_request, response) => {
    response.render('realtimeproducts', { title: 'Products, live', products: products.all(), live: true });
  });
  return router;
}
