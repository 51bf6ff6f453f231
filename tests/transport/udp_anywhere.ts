/**
 * A program of its own for the tests of what FFI is permitted: opens a UDP listener by the means its argument
 * names, answers one message, and prints what was logged and what came back.
 */
import { requestText } from "../support/messages.ts";
import { UdpHost, UdpPeer } from "../support/sockets.ts";

const udpIo = Deno.args[0] as "auto" | "batch";
try {
  await using server = new UdpHost([{ address: "127.0.0.1", port: 0 }], { udpIo });
  using peer = new UdpPeer("127.0.0.1");
  await peer.send(requestText("OPTIONS"), server.local);
  (await server.receive()).flow.send("answered");
  console.log([...server.logged, (await peer.receive()).text].join("\n"));
} catch (error) {
  console.log(String(error));
}
