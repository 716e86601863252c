import { homedir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { PregonError } from '@pregon/protocol';

/**
 * Returns the path of the file that a URL `sqlite:PATH` names. `sqlite:~/PATH` is in the home directory of the user,
 * and `sqlite:///PATH` is absolute, as in a `file:` URL. Forms that other programs support and Pregon does not, such as
 * `sqlite://PATH` and `?mode=ro`, are refused: read literally, they would name a new, empty file.
 *
 * @throws PregonError CONFIG_INVALID, with what to write instead
 */
export function sqlitePath(url: string): string {
  const path = url.slice('sqlite:'.length);
  const wrong = mistakeIn(path);
  if (wrong !== undefined)
    throw new PregonError('CONFIG_INVALID', `${JSON.stringify(url)}: ${wrong}; a log in SQLite is sqlite:PATH`);
  return expandPath(path);
}

/** Converts the part after `sqlite:` to a path of the system, without any check. */
export function expandPath(path: string): string {
  if (/^~[/\\]/.test(path)) return join(homedir(), path.slice(2));
  return path.replace(/^\/{2,}(?=\/)/, '');
}

function mistakeIn(path: string): string | undefined {
  if (path === '') return 'the path is missing';
  if (path !== path.trim()) return 'the path begins or ends with white space: remove it';
  if (path.includes('\0')) return 'the path contains a NUL character: remove it';
  if (/^(file:)?:?memory:/i.test(path)) {
    return 'no other process can read a log in memory: name a file, such as sqlite:data/pregon.db';
  }
  if (/^file:/i.test(path)) return `write ${withoutFile(path)}, without "file:"`;
  if (/[?]/.test(path)) {
    return `parameters are not supported, because a log is always read and written: write sqlite:${path.split('?', 1)[0]}`;
  }
  const [, home] = /^\/+(~[/\\].+)/s.exec(path) ?? [];
  if (home !== undefined) return `write sqlite:${home}`;
  const [variable] = /^(\$\w+|\$\{\w+\}|%\w+%)(?=[/\\]|$)/.exec(path) ?? [];
  if (variable !== undefined) return `${variable} is not expanded here: let the shell replace it`;
  if (/^\/\/[^/]/.test(path)) {
    return `"//" begins the name of a host: write sqlite:${path.slice(2)} for a relative path, sqlite:${path.slice(1)} for an absolute one`;
  }
  if (path.startsWith('~') && !/^~[/\\]./.test(path))
    return 'write the path of that home directory, or sqlite:~/FILE for your own';
  if (/[/\\]$/.test(path)) return `this is a folder: name the file in it, such as sqlite:${path}pregon.db`;
  return undefined;
}

/** Converts `file:///srv/x.db` or `file:x.db` to the URL of a log. */
function withoutFile(url: string): string {
  return `sqlite:${url.replace(/^file:(\/\/(localhost)?(?=\/))?/i, '').split('?', 1)[0]}`;
}

/** Returns what to write for a URL that no driver knows, if it seems to name a file. */
export function adviceFor(url: string): string | undefined {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):/i.exec(url) ?? [];
  if (scheme === undefined) return url === 'sqlite' ? ': a path is missing' : `: write sqlite:${url}`;
  if (/^file$/i.test(scheme)) return `: write ${withoutFile(url)}`;
  return /^(sqlite3|libsql)$/i.test(scheme) ? `: write sqlite:${url.slice(scheme.length + 1)}` : undefined;
}

/**
 * Resolves a plain path relative to the folder of the file that names it, and shows it relative to `cwd`. Any other
 * form stays unchanged.
 */
export function resolvePath(url: string, folder: string, cwd: string): string {
  const [, file] = /^sqlite:(?![:~]|\/\/|\$\w+[/\\]|%\w+%|file:|\s)(.*[^/\\\s])$/i.exec(url) ?? [];
  if (file === undefined) return url;
  const absolute = resolve(folder, file);
  const short = relative(cwd, absolute);
  return `sqlite:${short.startsWith('..') ? absolute : short}`;
}
