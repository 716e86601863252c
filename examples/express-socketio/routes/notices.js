import { Router } from 'express';

/** Publishes an event from a request. The response is sent when the event is durable in the log. */
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
