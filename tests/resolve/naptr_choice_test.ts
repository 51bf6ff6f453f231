import type { NaptrRecord } from "../../src/resolve/mod.ts";
import { servicesOf } from "../../src/resolve/naptr_choice.ts";
import { assertEquals } from "../support/assert.ts";

const RECORD: NaptrRecord = {
  order: 10,
  preference: 10,
  flags: "s",
  services: "SIP+D2U",
  regexp: "",
  replacement: "_sip._udp.example",
};

const everything = () => true;

Deno.test("services come in groups by order, within each the preferred first", () => {
  const records = [
    { ...RECORD, order: 20, services: "SIP+D2T", replacement: "c" },
    { ...RECORD, preference: 20, services: "SIPS+D2T", replacement: "b" },
    { ...RECORD, replacement: "a" },
  ];
  assertEquals(servicesOf(records, everything), [
    [{ protocol: "udp", name: "a" }, { protocol: "tls", name: "b" }],
    [{ protocol: "tcp", name: "c" }],
  ]);
});

Deno.test("what cannot be used is left out, and is still something of SIP", () => {
  const unusable: Partial<NaptrRecord>[] = [
    { flags: "a" },
    { flags: "u", regexp: "!^.*$!sip:x@example!", replacement: "" },
    { flags: "" },
    { replacement: "" },
    { services: "SIP+D2S" },
    { services: "SIPS+D2U" },
  ];
  for (const part of unusable) assertEquals(servicesOf([{ ...RECORD, ...part }], everything), []);
  assertEquals(servicesOf([RECORD], (protocol) => protocol !== "udp"), []);
});

Deno.test("no records, or those of other services, say nothing of SIP", () => {
  assertEquals(servicesOf([], everything), undefined);
  assertEquals(servicesOf([{ ...RECORD, services: "E2U+SIP" }], everything), undefined);
});

Deno.test("no more services of one order are looked at than can be of use", () => {
  const records = Array.from({ length: 40 }, (_, i) => ({ ...RECORD, preference: i, replacement: `n${i}` }));
  assertEquals(servicesOf(records, everything)?.[0].length, 8);
});
