import type { Entrance } from '../session.js';
import { application } from './application.js';
import { component } from './component.js';
import { enginePolling, engineWebSocket } from './engine-io.js';
import { eventStream } from './event-stream.js';
import { frames } from './frames.js';
import { httpPort } from './http-port.js';
import { positions } from './positions.js';
import { pregonV1 } from './pregon-v1.js';
import { rawHttp } from './raw-http.js';
import { upgrades } from './upgrades.js';

/** All entrances over the network. */
export const ENTRANCES: readonly Entrance[] = [
  rawHttp,
  upgrades,
  frames,
  pregonV1,
  enginePolling,
  engineWebSocket,
  eventStream,
  positions,
  httpPort,
  component,
  application,
];
