/** A way to a value in a file: keys, and indexes of list items. */
export type KeyPath = readonly (string | number)[];

/**
 * The line of `text`, from 1, on which the value at `path` stands, by the indentation of block YAML; the
 * parser keeps no positions. Of what is written in flow style, or is not there, it is the line of the nearest
 * key above; undefined if there is not even that.
 */
export function lineOf(text: string, path: KeyPath): number | undefined {
  const lines = text.split("\n");
  let found: number | undefined;
  let from = 0;
  let indent = -1;
  for (const part of path) {
    const at = typeof part === "number"
      ? findItem(lines, from, indent, part)
      : findKey(lines, from, indent, part);
    if (at === undefined) break;
    found = at.line;
    indent = at.indent;
    // The key of an item may stand on the item's own line.
    from = typeof part === "number" ? at.line : at.line + 1;
  }
  return found === undefined ? undefined : found + 1;
}

interface Place {
  /** From 0. */
  readonly line: number;
  readonly indent: number;
}

function findKey(lines: readonly string[], from: number, above: number, key: string): Place | undefined {
  let level: number | undefined;
  for (let line = from; line < lines.length; line++) {
    // "- key: value" is a key two columns further in.
    const text = line === from ? lines[line].replace(/^(\s*)- /, "$1  ") : lines[line];
    const indent = indentOf(text);
    if (indent === undefined) continue;
    if (indent <= above) return undefined;
    level ??= indent;
    if (indent === level && keyOf(text) === key) return { line, indent };
  }
  return undefined;
}

function findItem(lines: readonly string[], from: number, above: number, index: number): Place | undefined {
  let level: number | undefined;
  let left = index;
  for (let line = from; line < lines.length; line++) {
    const indent = indentOf(lines[line]);
    if (indent === undefined) continue;
    const isItem = /^\s*-(\s|$)/.test(lines[line]);
    // A list may stand at the indentation of its key.
    if (indent < above || (indent === above && !isItem)) return undefined;
    level ??= indent;
    if (indent === level && isItem && left-- === 0) return { line, indent };
  }
  return undefined;
}

/** Columns before the text of a line; undefined for one that is empty or a comment. */
function indentOf(line: string): number | undefined {
  const indent = line.search(/\S/);
  return indent < 0 || line[indent] === "#" ? undefined : indent;
}

function keyOf(line: string): string | undefined {
  const match = /^\s*(?:"([^"]*)"|'([^']*)'|([^\s:#][^:]*?))\s*:(?:\s|$)/.exec(line);
  return match?.[1] ?? match?.[2] ?? match?.[3];
}
