import {
  buildReply,
  parseText,
  RequestDraft,
  requestFault,
  ResponseDraft,
  type SipMessage,
  SipRequest,
  SipResponse,
} from "../../src/sip/mod.ts";
import { TORTUROUS, type Torturous, type Values } from "../data/torturous.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** How each value is read. */
const READ: { readonly [Name in keyof Values]: (message: SipMessage & SipRequest & SipResponse) => unknown } =
  {
    method: ({ method }) => method,
    scheme: ({ uri }) => uri.scheme,
    user: ({ uri }) => uri.user,
    password: ({ uri }) => uri.password,
    host: ({ uri }) => uri.host,
    port: ({ uri }) => uri.port,
    uriParams: ({ uri }) => uri.params.toString(),
    status: ({ status }) => status,
    reason: ({ reason }) => reason,
    viaHost: ({ via }) => via.host,
    viaPort: ({ via }) => via.port,
    transport: ({ via }) => via.transport,
    branch: ({ via }) => via.branch,
    received: ({ via }) => via.received,
    viaCount: (message) => message.all("Via").length,
    maxForwards: ({ maxForwards }) => maxForwards,
    callId: ({ callId }) => callId,
    cseq: ({ cseq }) => cseq.number,
    fromDisplay: ({ from }) => from.display,
    fromTag: ({ fromTag }) => fromTag,
    toTag: ({ toTag }) => toTag,
    toUri: ({ toUri }) => toUri.toString(),
    contacts: ({ contacts }) => contacts === "*" ? "*" : contacts.map(({ uriText }) => uriText).join(" "),
    routes: ({ routes }) => routes.map(({ uriText }) => uriText).join(" "),
    supported: (message) => message.all("Supported").join(" "),
    body: ({ body }) => body,
    fault: ({ fault }) => fault,
  };

function outcomeOf(message: SipMessage | undefined): Torturous["outcome"] {
  if (message === undefined) return "not SIP";
  if (message instanceof SipRequest) return requestFault(message)?.status ?? "sound";
  return message.fault === undefined ? "sound" : "dropped";
}

for (const { name, text, outcome, values = {} } of TORTUROUS) {
  Deno.test(`${name}: ${typeof outcome === "number" ? `a ${outcome}` : outcome}`, () => {
    const message = parseText(text);
    assertEquals(outcomeOf(message), outcome, (message as SipMessage | undefined)?.fault);
    for (const [key, value] of Object.entries(values)) {
      assertEquals(READ[key as keyof Values](message as never), value, key);
    }
  });
}

Deno.test("there are many torturous messages, and each has a name of its own", () => {
  assert(TORTUROUS.length >= 60);
  assertEquals(new Set(TORTUROUS.map(({ name }) => name)).size, TORTUROUS.length);
});

Deno.test("every sound one leaves as it came, without what stands around it", () => {
  for (const { name, text, outcome } of TORTUROUS) {
    const message = parseText(text);
    if (outcome !== "sound") continue;
    const draft = message instanceof SipRequest
      ? new RequestDraft(message)
      : new ResponseDraft(message as SipResponse);
    const sent = draft.toString();
    assert(text.replace("sip/2.0", "SIP/2.0").includes(sent), name);
    assertEquals(outcomeOf(parseText(sent)), "sound", name);
  }
});

Deno.test("the answer to a request that is refused has a sound header, whatever the request's is like", () => {
  for (const { name, text, outcome } of TORTUROUS) {
    const message = parseText(text);
    if (typeof outcome !== "number" || !(message instanceof SipRequest)) continue;
    const reply = parseText(buildReply(message, outcome, { toTag: "t1" }));
    assert(reply instanceof SipResponse, name);
    assertEquals(reply.status, outcome, name);
    assert(
      !/^(Header row|Line|No empty line|Continuation)/.test(reply.fault ?? ""),
      `${name}: ${reply.fault}`,
    );
  }
});
