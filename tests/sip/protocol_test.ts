import { defaultPort, type Protocol, protocolOf, viaName } from "../../src/sip/protocol.ts";
import { parseUri } from "../../src/sip/uri.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("a URI asks for a protocol by its transport parameter and scheme", () => {
  const table: [string, Protocol | undefined][] = [
    ["sip:b", "udp"],
    ["sip:b;transport=udp", "udp"],
    ["sip:b;transport=TCP", "tcp"],
    ["sip:b;transport=tls", "tls"],
    ["sip:b;transport=ws", "ws"],
    ["sip:b;transport=wss", "wss"],
    ["sips:b", "tls"],
    ["sips:b;transport=tcp", "tls"],
    ["sips:b;transport=tls", "tls"],
    ["sips:b;transport=ws", "wss"],
    ["sips:b;transport=wss", "wss"],
    ["sips:b;transport=udp", undefined],
    ["sip:b;transport=sctp", undefined],
    ["sip:b;transport", undefined],
    ["sip:b;tr%61nsport=tcp", "tcp"],
  ];
  for (const [text, protocol] of table) assertEquals(protocolOf(parseUri(text)), protocol, text);
});

Deno.test("each protocol has a name in a Via and a port of its own", () => {
  const table: [Protocol, string, number][] = [
    ["udp", "UDP", 5060],
    ["tcp", "TCP", 5060],
    ["tls", "TLS", 5061],
    ["ws", "WS", 80],
    ["wss", "WSS", 443],
  ];
  for (const [protocol, name, port] of table) {
    assertEquals([viaName(protocol), defaultPort(protocol)], [name, port]);
  }
});
