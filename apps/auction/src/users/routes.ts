import { Router } from 'express';
import { onlyMethods, Problem } from '../problems.js';
import { parseDraft } from './schema.js';
import type { UserStore } from './store.js';

/**
 * `GET /users`, and `GET`, `PUT`, `DELETE` of `/users/:id`. A `PUT` with `If-None-Match: *` creates only (RFC 9110 section 13.1.2).
 */
export function userRoutes(users: UserStore): Router {
  const router = Router();

  router
    .route('/users')
    .get((_request, response) => {
      response.json(users.list());
    })
    .all(onlyMethods('GET'));

  router
    .route('/users/:id')
    .get((request, response) => {
      response.json(users.find(request.params.id) ?? unknown(request.params.id));
    })
    .put((request, response) => {
      const draft = parseDraft(request.params.id, request.body);
      const saved = users.save(draft, { onlyNew: request.get('If-None-Match') === '*' });
      if (saved.outcome === 'taken') {
        throw new Problem(412, `There is a user ${draft.id} already.`, {
          errors: [{ pointer: '#/id', detail: 'is taken' }],
        });
      }
      if (saved.outcome === 'created') response.status(201).location(`/users/${saved.user.id}`);
      response.json(saved.user);
    })
    .delete((request, response) => {
      if (users.remove(request.params.id) === undefined) unknown(request.params.id);
      response.status(204).end();
    })
    .all(onlyMethods('GET', 'PUT', 'DELETE'));

  return router;
}

function unknown(id: string): never {
  throw new Problem(404, `There is no user ${id}.`);
}
