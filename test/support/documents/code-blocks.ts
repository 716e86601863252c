/** A fenced code block of a Markdown document. */
export interface CodeBlock {
  /** `js`, `sh` …; empty if the fence names none. */
  readonly language: string;
  readonly text: string;
  /** The file name from a comment in the first line: `// app.mjs`, `<!-- public/index.html -->`. */
  readonly file: string | undefined;
  /** The nearest heading above it. */
  readonly heading: string;
}

const FENCE = /^(`{3,})([\w-]*).*\n([\s\S]*?)^\1\s*$|^#+ (.*)$/gm;

const FILE_COMMENT = /^(?:\/\/|#|<!--) *([\w./-]+\.\w+)(?: *-->)?$/;

export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let heading = '';
  for (const [, fence, language = '', text = '', title] of markdown.matchAll(FENCE)) {
    if (fence === undefined) heading = title ?? '';
    else blocks.push({ language, text, heading, file: FILE_COMMENT.exec(text.split('\n', 1)[0] ?? '')?.[1] });
  }
  return blocks;
}
