import { describe, it } from 'vitest';
import { BearerToken } from '../../src/access/bearer-token.js';
import { AddressBlocks } from '../../src/access/blocked-addresses.js';
import { Origins } from '../../src/access/origins.js';
import { logLines } from '../../src/observe/log-lines.js';
import { describeAdmission, describeObserver } from '../../src/testing.js';

describeAdmission(
  { describe, it },
  {
    name: 'origins',
    admission: () => new Origins(['https://shop.example']),
    admitted: [{ request: {} }, { request: { headers: { origin: 'https://shop.example' } } }],
    refused: [
      { request: { headers: { origin: 'https://evil.example', cookie: 'session=secret' } }, status: 403 },
      { request: { headers: { origin: 'null' } }, status: 403 },
    ],
  },
);

describeAdmission(
  { describe, it },
  {
    name: 'blocked addresses',
    admission: () => new AddressBlocks(['192.0.2.0/24']),
    admitted: [{ request: {} }, { request: { remoteAddress: '::ffff:127.0.0.1' } }],
    refused: [
      { request: { remoteAddress: '192.0.2.7' }, status: 403 },
      { request: { remoteAddress: '::ffff:192.0.2.7' }, status: 403 },
    ],
  },
);

describeAdmission(
  { describe, it },
  {
    name: 'a bearer token',
    admission: () => new BearerToken('correct horse'.replace(' ', '-')),
    admitted: [{ request: { headers: { authorization: 'Bearer correct-horse' } } }],
    refused: [
      { request: {}, status: 401 },
      { request: { headers: { authorization: 'Bearer wrong-horse' } }, status: 401 },
      { request: { headers: { authorization: 'Basic correct-horse' } }, status: 401 },
    ],
  },
);

describeAdmission(
  { describe, it },
  {
    name: 'a bearer token that is not configured',
    admission: () => new BearerToken(undefined),
    admitted: [],
    refused: [
      { request: {}, status: 403 },
      { request: { headers: { authorization: 'Bearer undefined' } }, status: 403 },
    ],
  },
);

const silent = { info() {}, warn() {}, error() {}, debug() {} };
describeObserver({ describe, it }, { name: 'log lines', observer: () => logLines(silent) });
