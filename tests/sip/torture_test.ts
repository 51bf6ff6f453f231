import { isUnicast } from "../../src/lib/ip_address.ts";
import { byteArea } from "../../src/lib/latin1.ts";
import {
  asRequestUri,
  MalformedError,
  parseMessage,
  parseUri,
  parseVia,
  RequestDraft,
  requestFault,
  ResponseDraft,
  sameUri,
  type SipMessage,
  SipRequest,
  SipResponse,
} from "../../src/sip/mod.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../support/assert.ts";

/** The messages of RFC 4475, beside the checkout; the table in their README says what becomes of each. */
const FOLDER = new URL("../../../shared/torture/", import.meta.url);

/** What the reader makes of a message: a status is that of the answer it deserves. */
type Outcome = "valid" | "valid (response)" | "drop (response)" | "not SIP" | `${number}`;

interface Row {
  readonly file: string;
  readonly reaction: string;
}

function readTable(): readonly Row[] {
  try {
    const rows = Deno.readTextFileSync(new URL("README.md", FOLDER)).split("\n")
      .map((line) => line.split("|").map((cell) => cell.trim()))
      .filter(([, file]) => file?.endsWith(".dat"));
    return rows.map(([, file, , , reaction]) => ({ file, reaction }));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("The messages of RFC 4475 are not tried: there is no ../shared/torture");
    return [];
  }
}

const TABLE = readTable();

/** A test of the messages, left out where they are not. */
function test(name: string, fn: () => void): void {
  Deno.test({ name, ignore: TABLE.length === 0, fn });
}

function read(file: string): SipMessage | undefined {
  return parseMessage(byteArea(Deno.readFileSync(new URL(file, FOLDER))));
}

function request(file: string): SipRequest {
  const message = read(file);
  assert(message instanceof SipRequest, file);
  return message;
}

function response(file: string): SipResponse {
  const message = read(file);
  assert(message instanceof SipResponse, file);
  return message;
}

function outcomeOf(message: SipMessage | undefined): Outcome {
  if (message === undefined) return "not SIP";
  if (message instanceof SipRequest) {
    const fault = requestFault(message);
    return fault === undefined ? "valid" : `${fault.status}`;
  }
  return message.fault === undefined ? "valid (response)" : "drop (response)";
}

/** What the reader may make of a message that is to have this reaction. */
function allowed({ file, reaction }: Row): Outcome[] {
  // Nothing is wrong with its grammar; it is dropped where no request of ours awaits it.
  if (file === "bcast.dat") return ["valid (response)"];
  if (reaction.endsWith("(response)")) return [reaction as Outcome];
  if (reaction.startsWith("invalid")) return ["not SIP", "400"];
  const [, status] = /^(400|505)/.exec(reaction) ?? [];
  // Whatever else is listed is up to a proxy, a registrar or an endpoint.
  if (status === undefined) return reaction.includes("(or 400)") ? ["valid", "400"] : ["valid"];
  return / or /.test(reaction) ? ["valid", status as Outcome] : [status as Outcome];
}

for (const row of TABLE) {
  test(`${row.file} has its reaction: ${row.reaction}`, () => {
    const outcome = outcomeOf(read(row.file));
    assert(allowed(row).includes(outcome), `${outcome} instead of ${allowed(row)}`);
  });
}

test("all of the messages are in the table", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) => name.endsWith(".dat"));
  assertEquals(TABLE.map(({ file }) => file).sort(), files.sort());
});

test("every message leaves again byte for byte, up to the end of its body", () => {
  for (const { file } of TABLE) {
    const message = read(file);
    if (message === undefined || message.fault !== undefined) continue;
    const bytes = Deno.readFileSync(new URL(file, FOLDER));
    const text = byteArea(bytes).latin1Slice(0, message.text.length);
    if (message instanceof SipResponse) assertEquals(new ResponseDraft(message).toString(), text, file);
    if (outcomeOf(message) !== "valid") continue;
    assertEquals(new RequestDraft(message as SipRequest).toString(), text, file);
  }
});

test("a tortuous INVITE is read in all its folds, forms and escapes", () => {
  const invite = request("wsinv.dat");
  assertEquals([invite.maxForwards, invite.cseq.number, invite.cseq.method], [68, 9, "INVITE"]);
  assertEquals([invite.fromTag, invite.toTag, invite.callId], [
    "98asjd8",
    "1918181833n",
    "wsinv.ndaksdj@192.0.2.1",
  ]);
  assertEquals([invite.via.host, invite.via.branch, invite.via.hasCookie], ["192.0.2.2", "390skdjuw", false]);
  const [, second, third] = invite.all("Via").map(parseVia);
  assertEquals([second.transport, second.host, second.branch], [
    "TCP",
    "spindle.example.com",
    "z9hG4bK9ikj8",
  ]);
  assertEquals([third.host, third.branch], ["192.168.255.111", "z9hG4bK30239"]);
  assertEquals(invite.routes.map(({ uri }) => uri.host), ["services.example.com"]);
  assertEquals(invite.get("NewFangledHeader"), "newfangled value continued newfangled value");
  assertEquals(invite.get("UnknownHeaderWithUnusualValue"), ";;,,;;,;");
  assertEquals([invite.get("Subject"), invite.get("s"), invite.body.length], [undefined, "", 150]);
  assert(invite.contacts !== "*");
  const [{ display, params }] = invite.contacts;
  assertEquals([display, params.get("newparam"), params.get("q")], [
    '"Quoted string \\"\\""',
    "newvalue",
    "0.33",
  ]);
  assert(params.has("secondparam"));
});

test("a wide range of chars is read wherever the grammar allows them", () => {
  const odd = request("intmeth.dat");
  assertEquals(odd.method, "!interesting-Method0123456789_*+`.%indeed'~");
  assertEquals(odd.uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  assertEquals(odd.uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
  assertEquals(odd.uri.host, "example.com");
  assertEquals(odd.to.display, '"BEL:\\\u0007 NUL:\\\u0000 DEL:\\\u007f"');
  assertEquals(odd.from.display, "token1~` token2'+_ token3*%!.-");
  assertEquals(odd.fromTag, "_token~1'+`*%!-.");
  assertEquals(odd.maxForwards, 255);
  assert(odd.has("extensionHeader-!.%*+_`'~"));
});

test("escapes are undone in users and parameters, and nowhere else", () => {
  const escaped = request("esc01.dat");
  assertEquals([escaped.uri.user, escaped.uri.host], ["sips%3Auser%40example.com", "example.net"]);
  assert(sameUri(escaped.toUri, parseUri("sip:user@example.com")));
  assert(escaped.contacts !== "*");
  const { uri } = escaped.contacts[0];
  assert(uri.params.has("lr"));
  assertEquals(uri.params.get("name"), "value%2541");
  assert(sameUri(uri, parseUri("sip:caller@host5.example.net;lr;name=value%25%34%31")));

  const plain = request("esc02.dat");
  assertEquals([plain.method, plain.to.display], ["RE%47IST%45R", '"%Z%45"']);
  assert(plain.contacts !== "*");
  assertEquals(plain.contacts.map(({ uri }) => uri.user), ["alias1", "alias3"]);
});

test("escaped NULs end nothing and are not the same", () => {
  const register = request("escnull.dat");
  assertEquals(register.toUri.user, "null-%00-null");
  assert(register.contacts !== "*");
  const [one, two] = register.contacts;
  assert(!sameUri(one.uri, two.uri));
});

test("display names, long values and many transports are taken as they are", () => {
  assertEquals(request("lwsdisp.dat").from.display, "caller");
  assertEquals(request("lwsdisp.dat").fromTag, "323");
  const long = request("longreq.dat");
  assertEquals([long.all("Via").length, long.via.branch, long.body.length], [34, undefined, 150]);
  assertEquals(long.all("Via").map(parseVia).at(-1)?.received, "192.0.2.5");
  const transports = request("transports.dat").all("Via").map((value) => parseVia(value).transport);
  assertEquals(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
  assertEquals(request("semiuri.dat").uri.user, "user;par=u%40example.net");
  assertEquals(request("semiuri.dat").all("Accept").length, 6);
});

test("what follows the body in a datagram is no part of the message", () => {
  const register = request("dblreq.dat");
  assertEquals([register.method, register.body], ["REGISTER", ""]);
  assert(register.text.endsWith("\r\n\r\n"));
  assert(!register.text.includes("INVITE"));
});

test("a binary body keeps each of its bytes", () => {
  const { body } = request("mpart01.dat");
  const bytes = Deno.readFileSync(new URL("mpart01.dat", FOLDER));
  assertEquals(body.length, 553);
  assertEquals(body, byteArea(bytes).latin1Slice(bytes.length - 553, bytes.length));
  assert(body.includes("\u0000"));
});

test("an unusual reason phrase is kept, and an empty one is one", () => {
  assertEquals(response("unreason.dat").status, 200);
  assertStringIncludes(response("unreason.dat").reason, "= 2**3 * 5**2 ");
  assertEquals([response("noreason.dat").status, response("noreason.dat").reason], [100, ""]);
});

test("of requests that cannot be read, the parts that can still be are", () => {
  assertEquals(request("badinv01.dat").fault, "Malformed Via parameter");
  assertEquals(request("clerr.dat").fault, "Body shorter than its Content-Length");
  assertEquals(request("ncl.dat").fault, "Malformed Content-Length");
  assertEquals(request("mcl01.dat").fault, "More than one Content-Length");
  assertEquals(request("insuf.dat").fault, "No Call-ID");
  assertEquals(request("insuf.dat").cseq.number, 193_942);
  assertEquals(request("quotbal.dat").via.host, "192.0.2.59");
  assertThrows(() => request("quotbal.dat").to, MalformedError);
  assertEquals(request("badvers.dat").version, "SIP/7.0");
  assertThrows(() => request("scalar02.dat").maxForwards, MalformedError);
  assertThrows(() => request("ltgtruri.dat").uri, MalformedError);
});

test("a malformed response tells that it is", () => {
  assertEquals(response("bigcode.dat").fault, "Malformed status line");
  assertEquals(response("scalarlg.dat").fault, "Malformed CSeq");
});

test("a broadcast address in a lower Via is one nothing is sent to", () => {
  const [, lower] = response("bcast.dat").all("Via").map(parseVia);
  assertEquals(isUnicast(lower.host), false);
});

test("a branch that is only the cookie names no transaction", () => {
  const { via } = request("badbranch.dat");
  assertEquals([via.branch, via.hasCookie], ["z9hG4bK", false]);
});

test("what a proxy or registrar decides by is there to be read", () => {
  assertEquals(request("unkscm.dat").uri.scheme, "nobodyknowsthisscheme");
  assertEquals(request("novelsc.dat").uri.isSip, false);
  const other = request("unksm2.dat");
  assertEquals([other.toUri.scheme, other.from.uri.scheme], ["isbn", "http"]);
  assert(other.contacts !== "*");
  assertEquals(other.contacts[0].uri.scheme, "name");
  assertEquals(request("bext01.dat").all("Proxy-Require"), [
    "noProxiesSupportThis",
    "norDoAnyProxiesSupportThis",
  ]);
  assertEquals(request("zeromf.dat").maxForwards, 0);
  assertEquals(request("baddate.dat").get("Date"), "Fri, 01 Jan 2010 16:00:00 EST");
  assertEquals(request("regaut01.dat").all("Authorization"), ["NoOneKnowsThisScheme opaque-data=here"]);
  assertEquals(request("sdp01.dat").get("Accept"), "text/nobodyKnowsThis");
  assertEquals(request("invut.dat").body, '<audio>\r\n <pcmu port="443"/>\r\n</audio>\r\n');
});

test("a parameter outside the brackets is the contact's, one inside is its URI's", () => {
  const outside = request("cparam01.dat").contacts;
  const inside = request("cparam02.dat").contacts;
  assert(outside !== "*" && inside !== "*");
  assertEquals([outside[0].uriText, outside[0].params.toString()], [
    "sip:+19725552222@gw1.example.net",
    ";unknownparam",
  ]);
  assertEquals([inside[0].uriText, inside[0].params.toString()], [
    "sip:+19725552222@gw1.example.net;unknownparam",
    "",
  ]);
});

test("headers in a contact's URI are kept with it, and never get into a Request-URI", () => {
  const { contacts } = request("regescrt.dat");
  assert(contacts !== "*");
  assertEquals(contacts[0].uri.headers, "Route=%3Csip:sip.example.com%3E");
  assertEquals(asRequestUri(contacts[0].uri), "sip:user@example.com");
});

test("an INVITE of RFC 2543 is read without branch, tag, Max-Forwards and Content-Length", () => {
  const old = request("inv2543.dat");
  assertEquals([old.via.branch, old.fromTag, old.toTag, old.maxForwards], [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(old.to.params.get("user"), "phone");
  assert(old.body.startsWith("v=0\r\n") && old.body.endsWith("RTP/AVP 0\r\n"));
});
