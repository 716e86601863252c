import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** The published repository; absolute links to it refer to its files. */
export const REPOSITORY = 'https://github.com/pregon/pregon';

const LINK = /\]\(([^()\s]+)\)/g;

const CODE = /^(`{3,})[\s\S]*?^\1|`[^`\n]*`/gm;

/** The targets of all links of a Markdown text, including images. */
export function linksOf(markdown: string): string[] {
  return [...markdown.replaceAll(CODE, '').matchAll(LINK)].map(([, target = '']) => target);
}

/**
 * Says what is wrong with a link, or undefined if nothing is. Links to other sites are not checked.
 *
 * @param root the repository
 * @param from the document, relative to it
 */
export function wrongLink(root: string, from: string, link: string): string | undefined {
  const target = inRepository(from, link);
  if (target === undefined) return undefined;
  const [path = '', anchor] = target.split('#');
  if (!existsSync(join(root, path))) return `${from}: ${link} does not lead to a file`;
  if (anchor === undefined || !path.endsWith('.md')) return undefined;
  return anchorsOf(readFileSync(join(root, path), 'utf8')).includes(anchor)
    ? undefined
    : `${from}: ${link} does not lead to a heading`;
}

function inRepository(from: string, link: string): string | undefined {
  if (link.startsWith(`${REPOSITORY}/`) || link.startsWith(`${REPOSITORY}#`)) {
    const rest = link.slice(REPOSITORY.length).replace(/#readme$/, '');
    return /^\/(?:blob|tree)\/main\/(.*)$/.exec(rest)?.[1] ?? (rest === '' ? 'README.md' : undefined);
  }
  if (/^[a-z]+:/i.test(link)) return undefined;
  return link.startsWith('#') ? from + link : normalize(join(dirname(from), link));
}

/** The anchor that GitHub makes of a heading. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.replaceAll(/^(`{3,})[\s\S]*?^\1/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}
