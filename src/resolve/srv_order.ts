import type { SrvRecord } from "./dns_records.ts";

/** A random number from 0 up to, and not, 1. */
export type Random = () => number;

/**
 * The servers in the order they are to be tried (RFC 2782): by priority, and within one priority drawn by weight.
 * The same draws give the same order, in whatever order the records came (RFC 3263 §4.4).
 */
export function srvOrder(records: readonly SrvRecord[], random: Random): SrvRecord[] {
  if (records.length < 2) return [...records];
  const sorted = records.toSorted(bySize);
  const ordered: SrvRecord[] = [];
  for (let start = 0; start < sorted.length;) {
    const { priority } = sorted[start];
    let end = start + 1;
    while (end < sorted.length && sorted[end].priority === priority) end++;
    drawByWeight(sorted.slice(start, end), random, ordered);
    start = end;
  }
  return ordered;
}

/** Within a priority those without weight come first, so that they have their small chance. */
function bySize(a: SrvRecord, b: SrvRecord): number {
  return a.priority - b.priority || a.weight - b.weight || a.port - b.port || (a.target < b.target ? -1 : 1);
}

function drawByWeight(group: SrvRecord[], random: Random, into: SrvRecord[]): void {
  let total = group.reduce((sum, { weight }) => sum + weight, 0);
  while (group.length > 1) {
    const drawn = Math.floor(random() * (total + 1));
    let sum = 0;
    const index = group.findIndex(({ weight }) => (sum += weight) >= drawn);
    const [record] = group.splice(index, 1);
    total -= record.weight;
    into.push(record);
  }
  into.push(group[0]);
}
