import { Timer, TimerWheel } from "../../src/lib/timer_wheel.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

class Nothing extends Timer {
  override onTimer(): void {}
}

function wheelWith(count: number): { clock: VirtualClock; wheel: TimerWheel } {
  const clock = new VirtualClock();
  const wheel = new TimerWheel({ clock, onError: () => {} });
  for (let i = 0; i < count; i++) wheel.arm(new Nothing(), 10_000 + i % 20_000);
  return { clock, wheel };
}

const full = wheelWith(100_000);
const timer = new Nothing();
let delay = 0;

Deno.bench("arm and disarm a timer among 100,000", { group: "timer wheel" }, () => {
  full.wheel.arm(timer, 500 + (delay = (delay + 7) % 32_000));
  full.wheel.disarm(timer);
});

const empty = wheelWith(0);

Deno.bench("a tick with nothing to do", { group: "timer wheel" }, () => {
  empty.clock.advance(10);
});

const busy = wheelWith(0);

Deno.bench("arm a timer and let it fire", { group: "timer wheel" }, () => {
  busy.wheel.arm(timer, 10);
  busy.clock.advance(10);
});
