import type { JsonShape } from '@pregon/protocol';

/** What a frame of `pregon.v1`, or an event of Socket.IO, may be like. */
export interface FrameLimits {
  readonly maxFrameBytes: number;
  readonly shape: JsonShape;
}
