import { Router } from 'express';

/** Publishes from inside a request: the answer goes out when the event is safe in the log, and on its way to all pages. */
export function notices(gateway) {
  const router = Router();
  router.post('/', async (request, response) => {
    const text = request.body?.text;
    if (typeof text !== 'string' || text.trim() === '') return response.status(400).json({ error: 'text is missing' });
    const event = await gateway.publish({
      exchange: 'notices',
      topic: 'notice.posted',
      type: 'NoticeWasPosted',
      data: { text },
    });
    response.status(201).json({ id: event.id, position: event.position });
  });
  return router;
}
