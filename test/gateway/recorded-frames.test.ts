import { describe, expect, it } from 'vitest';
import { Bindings, isIgnored, isServedStill } from '../support/recorded/match.js';
import { record, replay } from '../support/recorded/play.js';
import { currentVersion, loadRecording, recordedVersions, saveRecording, WAYS } from '../support/recorded/recording.js';
import { SESSIONS } from '../support/recorded/sessions.js';

/** `PREGON_RECORD=1 npx vitest run test/gateway/recorded-frames.test.ts` records the sessions of this checkout again. */
if (process.env['PREGON_RECORD'] === '1') {
  describe(`recording release ${currentVersion()}`, () => {
    it.each(SESSIONS)('$way', async (session) => saveRecording(await record(session)));
  });
} else {
  describe.each(recordedVersions())('clients of release %s are served as before', (version) => {
    it.each(WAYS)('%s', async (way) => {
      const recording = loadRecording(version, way);
      expect(recording.steps.some(({ got }) => Object.keys(got).length > 0)).toBe(true);
      expect(await replay(recording)).toEqual([]);
    });
  });

  it('the version of this checkout has recordings of all sessions with all their actions', () => {
    for (const { way, actions } of SESSIONS) {
      const recorded = loadRecording(currentVersion(), way).steps.map(({ got: _, ...action }) => action);
      expect(recorded).toEqual(actions);
    }
  });
}

describe('a frame is the same for a client of an earlier release', () => {
  const isSame = (recorded: string, actual: string) => isServedStill(recorded, actual, new Bindings());

  it('if it has additional members, or its members in another order', () => {
    expect(isSame('{"op":"pong"}', '{"later":1,"op":"pong"}')).toBe(true);
    expect(isSame('42/a,["x",{"n":1},"p"]', '42/a,["x",{"m":2,"n":1},"p"]')).toBe(true);
    expect(isSame('id: p\ndata: {"n":1}', 'id: p\ndata: {"n":1,"m":2}')).toBe(true);
  });

  it.each([
    ['a member is missing', '{"op":"ack","id":7}', '{"op":"ack"}'],
    ['a value differs', '{"op":"ack","id":7}', '{"op":"ack","id":8}'],
    ['a value has another type', '{"op":"ack","id":7}', '{"op":"ack","id":"7"}'],
    ['a name differs', '{"op":"ack","id":7}', '{"op":"acknowledged","id":7}'],
    ['an argument is added', '42/a,["x",1]', '42/a,["x",1,2]'],
    ['a line is added', 'data: 1', 'id: p\ndata: 1'],
    ['a code differs', 'END 4502 replaced«text»', 'END 4501 replaced'],
    ['a measured number is a text', '{"behind":"«number»"}', '{"behind":"3"}'],
  ])('not if %s', (_, recorded, actual) => expect(isSame(recorded, actual)).toBe(false));

  it('if each placeholder stands for one value in all frames', () => {
    const bindings = new Bindings();
    expect(isServedStill('{"position":"«p»"}', '{"position":"abc"}', bindings)).toBe(true);
    expect(bindings.fill('since=«p»')).toBe('since=abc');
    expect(isServedStill('id: «p»', 'id: abc', bindings)).toBe(true);
    expect(isServedStill('id: «p»', 'id: abd', bindings)).toBe(false);
  });

  it('or ignored if such a client does not know its name, unless it is an event', () => {
    expect(isIgnored('{"op":"later"}', ['pong'])).toBe(true);
    expect(isIgnored('{"op":"pong"}', ['pong'])).toBe(false);
    expect(isIgnored('{"specversion":"1.0","op":"later"}', ['pong'])).toBe(false);
    expect(isIgnored('event: later\ndata: {}', ['reset'])).toBe(true);
    expect(isIgnored('42/a,["later",1]', ['event'])).toBe(true);
    expect(isIgnored('heard hello', [])).toBe(false);
  });
});
