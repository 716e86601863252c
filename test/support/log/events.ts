export { numbered, numberedFrom } from '../../../packages/server/src/testing/log/events.js';
