import { Router } from 'express';
import { onlyMethods, Problem } from '../problems.js';
import { isUserId, parseDraft } from './schema.js';
import type { UserStore } from './store.js';

/**
 * `GET /users`, and `GET`, `PUT`, `DELETE` of `/users/:id`. A `PUT` with `If-None-Match: *` only creates (RFC 9110
 * section 13.1.2).
 */
export function userRoutes(users: UserStore): Router {
  const router = Router();

  router
    .route('/users')
    .get(async (_request, response) => {
      response.json(await users.list());
    })
    .all(onlyMethods('GET'));

  router
    .route('/users/:id')
    .get(async (request, response) => {
      const { id } = request.params;
      response.json((isUserId(id) ? await users.find(id) : undefined) ?? unknown(id));
    })
    .put(async (request, response) => {
      const draft = parseDraft(request.params.id, request.body);
      const saved = await users.save(draft, { onlyNew: request.get('If-None-Match') === '*' });
      if (saved.outcome === 'taken') {
        throw new Problem(412, `The Id ${draft.id} is taken. Choose another one.`, {
          errors: [{ pointer: '#/id', detail: `The Id ${draft.id} is taken. Choose another one.` }],
        });
      }
      if (saved.outcome === 'created') response.status(201).location(`/users/${saved.user.id}`);
      response.json(saved.user);
    })
    .delete(async (request, response) => {
      const { id } = request.params;
      const removed = isUserId(id) ? await users.remove(id) : undefined;
      if (removed === undefined) unknown(id);
      response.status(204).end();
    })
    .all(onlyMethods('GET', 'PUT', 'DELETE'));

  return router;
}

function unknown(id: string): never {
  throw new Problem(404, `There is no user ${id}.`);
}
