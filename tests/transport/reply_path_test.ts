import type { FlowWatcher } from "../../src/transport/mod.ts";
import { ReplyPath } from "../../src/transport/reply_path.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { RecordingFlow, RecordingTransport } from "../support/flows.ts";

const ADDRESS = "192.0.2.9";

/** A connection from some port, and the way back over it for one whose Via says 5070. */
function replyPath() {
  const transport = new RecordingTransport("tcp");
  const flow = transport.accept({ address: ADDRESS, port: 40_000 });
  return { transport, flow, path: new ReplyPath(flow, 5070) };
}

/** Has connections be opened in their own time. */
function slowly(transport: RecordingTransport, result: () => RecordingFlow): void {
  transport.connect = (() => Promise.resolve().then(result)) as unknown as typeof transport.connect;
}

Deno.test("answers go over the connection while it lives, one opened meanwhile or not", () => {
  const { transport, flow, path } = replyPath();
  const other = transport.connect({ address: ADDRESS, port: 5070 });
  assert(path.send("100"));
  assert(path.send("200"));
  assertEquals([flow.sent, other.sent], [["100", "200"], []]);
});

Deno.test("after its end answers go to the address it came from, at the port of the Via", () => {
  const { transport, flow, path } = replyPath();
  path.send("180");
  flow.close();
  assert(path.send("200"));
  const anew = transport.find({ address: ADDRESS, port: 5070 })!;
  assertEquals([flow.sent, anew.sent], [["180"], ["200"]]);
});

Deno.test("a new connection may take its time", async () => {
  const { transport, flow, path } = replyPath();
  const anew = new RecordingTransport("tcp").connect({ address: ADDRESS, port: 5070 });
  slowly(transport, () => anew);
  flow.close();
  assert(path.send("200"));
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assertEquals(anew.sent, ["200"]);
});

Deno.test("an answer for which no connection can be opened is lost, and nobody is disturbed", async () => {
  const { transport, flow, path } = replyPath();
  slowly(transport, () => {
    throw new Error("refused");
  });
  flow.close();
  assert(path.send("200"));
  for (let i = 0; i < 5; i++) await Promise.resolve();
});

Deno.test("it is the flow it answers over, to those who ask and to those who watch", () => {
  const { flow, path } = replyPath();
  const shown = ({ id, protocol, transport, remote, isAccepted, isGone }: RecordingFlow | ReplyPath) => [
    id,
    protocol,
    transport,
    remote,
    isAccepted,
    isGone,
  ];
  assertEquals(shown(path), shown(flow));
  const told: unknown[] = [];
  const watcher: FlowWatcher = { flowClosed: (flow) => told.push(flow) };
  path.watch(watcher);
  path.unwatch(watcher);
  assertEquals(flow.watchers, 0);
  path.watch(watcher);
  flow.close();
  assertEquals([told.length, path.isGone], [1, true]);
});
