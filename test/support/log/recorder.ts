export { idOf, parsePayload, Recorder, readAll, roundTrip } from '../../../packages/server/src/testing/log/recorder.js';
