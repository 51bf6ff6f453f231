import { bold, cyan, green, red, yellow } from "@std/fmt/colors";

/** One message on its way from one column to another. */
export interface Arrow {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

/** Columns between two life lines. */
const GAP = 30;

type Paint = (text: string) => string;

const plain: Paint = (text) => text;
const paints: readonly (readonly [RegExp, Paint])[] = [
  [/^1\d\d/, yellow],
  [/^2\d\d/, green],
  [/^[3-6]\d\d/, red],
  [/^/, cyan],
];

/**
 * The messages as a ladder: a column for each name, time going down, an arrow with its label for each
 * message. Columns are neighbours: an arrow goes to the next one.
 */
export function drawLadder(names: readonly string[], arrows: readonly Arrow[], isColored: boolean): string {
  const indent = Math.ceil(names[0].length / 2);
  const lines = [headLine(names, indent, isColored), rungLine(names.length, indent)];
  for (const arrow of arrows) lines.push(arrowLine(names.length, indent, arrow, isColored));
  lines.push(rungLine(names.length, indent));
  return lines.join("\n");
}

function headLine(names: readonly string[], indent: number, isColored: boolean): string {
  let line = "";
  names.forEach((name, i) => {
    const start = indent + i * (GAP + 1) - Math.floor(name.length / 2);
    line = line.padEnd(start) + name;
  });
  return isColored ? bold(line) : line;
}

function rungLine(count: number, indent: number): string {
  return " ".repeat(indent) + Array.from({ length: count }, () => "│").join(" ".repeat(GAP));
}

function arrowLine(count: number, indent: number, { from, to, label }: Arrow, isColored: boolean): string {
  const left = Math.min(from, to);
  const text = ` ${label.slice(0, GAP - 6)} `;
  const paint = isColored ? paints.find(([kind]) => kind.test(label))![1] : plain;
  const before = Math.floor((GAP - 1 - text.length) / 2);
  const after = GAP - 1 - text.length - before;
  const shaft = from < to
    ? `${"─".repeat(before)}${paint(text)}${"─".repeat(after)}▶`
    : `◀${"─".repeat(before)}${paint(text)}${"─".repeat(after)}`;
  const gaps = Array.from({ length: count - 1 }, (_, i) => i === left ? shaft : " ".repeat(GAP));
  return " ".repeat(indent) + "│" + gaps.map((gap) => `${gap}│`).join("");
}
