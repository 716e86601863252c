import type { IncomingMessage } from 'node:http';
import { assertEvent, createEvent, isTopic, type PregonEvent } from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import { readJsonObject } from '../../core/json-input.js';
import { HttpProblem } from '../problem.js';
import { readBody } from '../request-body.js';

const newEvent = z.strictObject({
  type: z.string().min(1),
  data: z.unknown().optional(),
  subject: z.string().optional(),
  id: z.string().min(1).optional(),
  source: z.string().min(1).optional(),
  time: z.string().optional(),
});

/**
 * Reads the event of a `POST /publish/:exchange/:topic`. The body is a {@link NewEvent} without exchange and topic, or
 * a CloudEvent in structured mode, of which all attributes are kept.
 *
 * @throws HttpProblem 400 | 413 | 415
 * @throws PregonError EVENT_INVALID
 */
export async function readEvent(
  request: IncomingMessage,
  place: { exchange: string; topic: string },
  maxBytes: number,
): Promise<PregonEvent> {
  if (!isTopic(place.topic)) throw new HttpProblem(400, `"${place.topic}" is not a topic`);
  const type = (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json' && type !== 'application/cloudevents+json') {
    throw new HttpProblem(415, 'the body must be application/json or application/cloudevents+json');
  }
  const body = readJsonObject(await readBody(request, maxBytes), 'the body');
  return type === 'application/json' ? completeEvent(body, place) : placeCloudEvent(body, place);
}

function completeEvent(body: Record<string, unknown>, place: { exchange: string; topic: string }): PregonEvent {
  const parsed = newEvent.safeParse(body);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(': '));
    throw new HttpProblem(400, problems.join('; '));
  }
  return createEvent({ ...parsed.data, ...place }, { id: uuid(), time: new Date().toISOString() });
}

function placeCloudEvent(body: Record<string, unknown>, place: { exchange: string; topic: string }): PregonEvent {
  const event: unknown = { ...body, ...place, position: undefined };
  assertEvent(event);
  return event;
}
