import { systemClock } from "../../src/lib/clock.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { TimerWheel } from "../../src/lib/timer_wheel.ts";
import { Tokens } from "../../src/lib/token.ts";
import { parseText, SipRequest, SipResponse } from "../../src/sip/mod.ts";
import { DEFAULT_TIMERS, LocalReplies, TransactionLayer } from "../../src/transaction/mod.ts";
import { BenchCore } from "./core.ts";
import { registerText } from "./messages.ts";

const COUNT = 2_048;

const tokens = new Tokens();
const flow = new BenchCore().connect({ address: "127.0.0.1", port: 5_063 });
const layer = new TransactionLayer({
  wheel: new TimerWheel({ clock: systemClock, onError: () => {} }),
  tokens,
  replies: new LocalReplies(tokens, "bench"),
  metrics: new Metrics(),
  log: silentLogger,
  // Completed transactions go at once, so that what is measured is one life and not how many there were.
  timers: { ...DEFAULT_TIMERS, t1: 10, t4: 10 },
  maxTransactions: 10_000_000,
  responseFlow: (_request, flow) => flow,
  onRequest: () => {},
});

const listener = { onProvisional() {}, onOutcome() {}, onFurtherSuccess() {} };
let turn = 0;

Deno.bench("a server transaction, opened and answered", { group: "transactions" }, () => {
  const request = parseText(registerText(turn++)) as SipRequest;
  layer.openServer(request, flow).respond(200, "SIP/2.0 200 OK\r\n\r\n");
});

const answers = Array.from({ length: COUNT }, () => {
  const branch = layer.newBranch("1");
  const text =
    `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=${branch}\r\nFrom: <sip:a@b>;tag=1\r\n` +
    "To: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
  return { branch, response: parseText(text) as SipResponse };
});

Deno.bench("a client transaction, sent and answered", { group: "transactions" }, () => {
  const { branch, response } = answers[turn++ % COUNT];
  layer.openClient({ method: "OPTIONS", branch, text: "OPTIONS sip:c@d SIP/2.0\r\n\r\n", flow }, listener);
  layer.receive(response, flow);
});
