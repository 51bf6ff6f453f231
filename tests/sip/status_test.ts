import { reasonOf } from "../../src/sip/status.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("a status that somebody defined has its usual reason", () => {
  const table: [number, string][] = [
    [100, "Trying"],
    [180, "Ringing"],
    [200, "OK"],
    [302, "Moved Temporarily"],
    [400, "Bad Request"],
    [407, "Proxy Authentication Required"],
    [430, "Flow Failed"],
    [481, "Call/Transaction Does Not Exist"],
    [487, "Request Terminated"],
    [503, "Service Unavailable"],
    [513, "Message Too Large"],
    [600, "Busy Everywhere"],
  ];
  for (const [status, reason] of table) assertEquals(reasonOf(status), reason);
});

Deno.test("any other status says what its class means", () => {
  const table: [number, string][] = [
    [199, "Progress"],
    [299, "Success"],
    [399, "Redirection"],
    [499, "Client Error"],
    [599, "Server Error"],
    [699, "Global Failure"],
    [700, "Unknown"],
  ];
  for (const [status, reason] of table) assertEquals(reasonOf(status), reason);
});

Deno.test("every reason may stand in a status line as it is", () => {
  for (let status = 100; status < 700; status++) {
    assert(/^[A-Za-z][A-Za-z/ -]*$/.test(reasonOf(status)), `${status} ${reasonOf(status)}`);
  }
});
