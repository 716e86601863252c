// @ts-check
import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { decodeStored, IndexedLog, PregonError, toUnavailable } from 'pregon/log';
import { EventFile } from './event-file.js';
import { readJson, syncFolder, writeJson } from './json-file.js';
import { openKept } from './kept-file.js';
import { lockFolder } from './lock.js';

/** @import { EncodedEvent, Log, LogDriver, LogOptions, LogPoint } from 'pregon/log' */
/** @typedef {{ birth: LogPoint, secret: string }} Identity @typedef {Awaited<ReturnType<typeof openKept>>} Kept */
/** @typedef {{ folder: string, identity: Identity, options: LogOptions, kept: Kept, release(): void }} Opened */
/** @typedef {{ events: EncodedEvent[], done(points: LogPoint[]): void, failed(error: unknown): void }} Append */

const folderOf = (/** @type {string} */ url) => url.slice('files:'.length);

/** A driver for logs of flat files in a folder, for one process: `files:data/log`. @returns {LogDriver} */
export function files() {
  return {
    name: 'flat files',
    schemes: ['files'],
    example: 'files:PATH',
    assertUrl(url) {
      if (folderOf(url) === '')
        throw new PregonError('CONFIG_INVALID', '"files:" needs a folder, such as files:data/log');
    },
    capabilities: () => ({ processes: 'one', what: 'a log of flat files' }),
    resolve: (url, folder, cwd) => `files:${relative(cwd, resolve(folder, folderOf(url)))}`,
    async open(url, options) {
      const message = 'a log of flat files keeps all events: remove "retention" from its options';
      if (options.retention) throw new PregonError('CONFIG_INVALID', message);
      const folder = resolve(folderOf(url));
      mkdirSync(folder, { recursive: true });
      const unlock = lockFolder(folder);
      try {
        return await openLog(folder, options, unlock);
      } catch (error) {
        unlock();
        throw toUnavailable(error);
      }
    },
  };
}

/** @param {string} folder @param {LogOptions} options @param {() => void} unlock */
async function openLog(folder, options, unlock) {
  const identityFile = join(folder, 'log.json');
  const birth = { offset: 0, fingerprint: randomInt(2 ** 47) };
  const identity = readJson(identityFile) ?? { birth, secret: randomBytes(32).toString('hex') };
  writeJson(identityFile, identity);
  const kept = await openKept(join(folder, 'kept.ndjson'));
  const log = new FilesLog({ folder, identity, options, kept, release: () => [kept.close(), unlock()] });
  // The names of new files are stored in the folder, so the folder must be synced too.
  syncFolder(folder);
  return log;
}

/** @extends {IndexedLog<number>} */
class FilesLog extends IndexedLog {
  #file;
  #secret;
  #release;
  /** @type {Append[]} */ #waiting = [];
  /** @type {Promise<void> | undefined} */ #writing;
  /** @type {Promise<void> | undefined} */ #closing;

  /** @param {Opened} opened */
  constructor({ folder, identity, options, kept, release }) {
    super(identity.birth, options, { values: kept.values, save: kept.save });
    this.name = `files:${folder}`;
    this.#file = new EventFile(join(folder, 'events.ndjson'));
    this.#secret = identity.secret;
    this.#release = release;
    let read = 0;
    try {
      for (const [payload, place] of this.#file.lines()) {
        read = place;
        this.add([decodeStored(payload)], [place]);
      }
    } catch (cause) {
      this.#file.close();
      kept.close();
      const message = `${folder}/events.ndjson is damaged at byte ${read}: repair or remove that line`;
      throw new PregonError('LOG_UNAVAILABLE', message, { cause });
    }
  }

  /** @type {Log['append']} */
  async append(events) {
    const encoded = this.encode(events);
    return new Promise((done, failed) => {
      this.#waiting.push({ events: encoded, done, failed });
      this.#writing ??= this.#write();
    });
  }

  async secret() {
    this.assertOpen();
    return Buffer.from(this.#secret, 'hex');
  }

  /** @override */
  close() {
    this.#closing ??= (async () => {
      await Promise.all([super.close(), this.#writing]);
      this.#file.close();
      this.#release();
    })();
    return this.#closing;
  }

  /** @protected @param {number} place @param {number} size */
  payloadAt(place, size) {
    return this.#file.read(place, size);
  }

  /** Group commit: appends that arrive while the disk is busy are written together. */
  async #write() {
    for (let batch = this.#waiting.splice(0); batch.length > 0; batch = this.#waiting.splice(0)) {
      /** @type {Map<string, EncodedEvent>} */
      const staged = new Map();
      const accepted = batch.filter((append) => this.#stage(append, staged));
      const fresh = [...staged.values()];
      try {
        const places = await this.#file.append(fresh.map(({ payload }) => payload));
        this.add(fresh, places);
        for (const { events, done } of accepted) done(this.pointsOf(events));
      } catch (error) {
        for (const { failed } of accepted) failed(toUnavailable(error));
      }
    }
    this.#writing = undefined;
  }

  /** @param {Append} append @param {Map<string, EncodedEvent>} staged @returns whether the append can be stored */
  #stage({ events, failed }, staged) {
    try {
      for (const [key, event] of this.fresh(events, staged)) staged.set(key, event);
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  }
}
