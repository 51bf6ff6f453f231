import { type ByteArea, byteArea, latin1Bytes } from "../../src/lib/latin1.ts";
import {
  buildReply,
  parseMessage,
  parseUri,
  RequestDraft,
  ResponseDraft,
  SipRequest,
  SipResponse,
} from "../../src/sip/mod.ts";
import { inviteText, registerText, ringingText } from "./messages.ts";

const COUNT = 512;

function areas(textOf: (i: number) => string): readonly ByteArea[] {
  return Array.from({ length: COUNT }, (_, i) => byteArea(latin1Bytes(textOf(i))));
}

const registers = areas(registerText);
const invites = areas(inviteText);
const ringings = areas(ringingText);
let turn = 0;

const parsed = (list: readonly ByteArea[]) => parseMessage(list[turn++ % COUNT]);

Deno.bench("parse REGISTER", { group: "parse" }, () => {
  parsed(registers);
});

Deno.bench("parse INVITE", { group: "parse" }, () => {
  parsed(invites);
});

Deno.bench("parse 180", { group: "parse" }, () => {
  parsed(ringings);
});

Deno.bench("parse a URI", { group: "parse" }, () => {
  parseUri(`sip:user${turn++}@example.com:5060;transport=udp`);
});

Deno.bench("parse INVITE and write it with Via, Max-Forwards, Record-Route and another URI", {
  group: "write",
}, () => {
  const draft = new RequestDraft(parsed(invites) as SipRequest);
  draft.set("Max-Forwards", "69").prepend("Record-Route", "<sip:127.0.0.1:5060;lr>");
  draft.prepend("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKabcdefghijkl.12345678");
  draft.uri = "sip:callee@127.0.0.1:5063";
  draft.toString();
});

Deno.bench("parse 180 and write it without its top Via", { group: "write" }, () => {
  new ResponseDraft(parsed(ringings) as SipResponse).removeTopVia().toString();
});

Deno.bench("parse REGISTER and write its 200", { group: "write" }, () => {
  const request = parsed(registers) as SipRequest;
  buildReply(request, 200, {
    toTag: "abcdefgh",
    headers: [["Contact", "<sip:a@127.0.0.1:5062>;expires=3600"]],
  });
});
