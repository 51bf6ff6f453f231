/// <reference lib="deno.worker" />
import { assertMatch } from "./assert.ts";
import type { ProbeOrder } from "./probe.ts";
import { RawConnection } from "./raw_connection.ts";
import { streamRequest } from "./requests.ts";

/** Questions whose answers are not counted: whatever happens for the first time is slow. */
const WARM_UP = 100;

const latencies: number[] = [];
let isOver = false;

async function ask(connection: RawConnection): Promise<void> {
  const start = performance.now();
  const id = `probe${latencies.length}`;
  await connection.write(streamRequest("OPTIONS", { sentBy: connection.name, id }));
  assertMatch(await connection.message(), new RegExp(`^SIP/2.0 200 [^]*Call-ID: ${id}\r\n`));
  latencies.push(performance.now() - start);
}

self.onmessage = async ({ data }: MessageEvent<ProbeOrder>) => {
  if (data === "stop") {
    isOver = true;
    return;
  }
  using connection = await RawConnection.open(data.at);
  for (let i = 0; i < WARM_UP; i++) await ask(connection);
  latencies.length = 0;
  self.postMessage("asking");
  while (!isOver) {
    await ask(connection);
    await new Promise((resolve) => setTimeout(resolve, data.pace));
  }
  self.postMessage(latencies);
};
