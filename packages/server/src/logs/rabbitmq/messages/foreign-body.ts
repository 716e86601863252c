import type { PregonEvent } from '@pregon/protocol';
import { decodeUtf8, readJson } from '../../../core/json-input.js';

export type EventBody = Pick<PregonEvent, 'data' | 'data_base64' | 'datacontenttype'>;

/**
 * Reads a body as the data of an event: as JSON if it is valid JSON and its content type is not text; otherwise as text
 * if it is UTF-8; otherwise as base64.
 */
export function readBody(content: Buffer, contentType: string | undefined): EventBody {
  if (content.length === 0) return {};
  const text = decodeUtf8(content);
  if (text === undefined) {
    return { datacontenttype: contentType ?? 'application/octet-stream', data_base64: content.toString('base64') };
  }
  const json = /^text\//i.test(contentType ?? '') ? undefined : parse(text);
  if (json) return { datacontenttype: jsonType(contentType), data: json.value };
  return { datacontenttype: contentType ?? 'text/plain', data: text };
}

/** With another content type, readers would take the data for text. */
function jsonType(contentType: string | undefined): string {
  return contentType !== undefined && /[/+]json\b/i.test(contentType) ? contentType : 'application/json';
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: readJson(text, 'the body') };
  } catch {
    return undefined;
  }
}
