import type { Clock } from "../lib/clock.ts";

/**
 * Looks at files every `period` ms, and calls `changed` when any is not as it was at the last call and all have
 * stayed the same for one look, until the returned function is called. Looking is sure where events are not:
 * with links that are swapped, folders that are mounted anew, and files that come and go.
 */
export function watchFiles(
  clock: Clock,
  period: number,
  paths: readonly string[],
  changed: () => void,
): () => void {
  let known = appearance(paths);
  let last = known;
  return clock.every(period, () => {
    const now = appearance(paths);
    const isSettled = now === last;
    last = now;
    // Of a certificate and its key, one is always written first.
    if (!isSettled || now === known) return;
    known = now;
    changed();
  });
}

/** What changes when a file, or what a link leads to, is written or replaced. */
function appearance(paths: readonly string[]): string {
  return paths.map((path) => {
    try {
      const { dev, ino, size, mtime } = Deno.statSync(path);
      return `${dev} ${ino} ${size} ${mtime?.getTime()}`;
    } catch {
      // Not there, or not for us: that is an appearance too.
      return "none";
    }
  }).join("\n");
}
