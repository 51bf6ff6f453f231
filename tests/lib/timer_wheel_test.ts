import fc from "fast-check";
import type { Clock } from "../../src/lib/clock.ts";
import { TICK, Timer, TimerWheel } from "../../src/lib/timer_wheel.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A timer that does what it is told when its time has come. */
class Task extends Timer {
  fired = 0;

  constructor(readonly act: (task: Task) => void = () => {}) {
    super();
  }

  override onTimer(): void {
    this.fired++;
    this.act(this);
  }
}

/** A clock whose wheel learns of any stretch of time at once, as after the process was held up. */
class LeapingClock implements Clock {
  #elapsed = 0;
  #fn = () => {};

  monotonic(): number {
    return this.#elapsed;
  }

  now(): number {
    return this.#elapsed;
  }

  every(_period: number, fn: () => void): () => void {
    this.#fn = fn;
    return () => {};
  }

  leap(ms: number): void {
    this.#elapsed += ms;
    this.#fn();
  }
}

function turning() {
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  const wheel = new TimerWheel({ clock, onError: (error) => errors.push(error) });
  return { clock, wheel, errors };
}

Deno.test("a timer is called once when its time has come, and not before", () => {
  const { clock, wheel } = turning();
  const task = new Task();
  wheel.arm(task, 500);
  assert(task.isArmed);
  clock.advance(499);
  assertEquals(task.fired, 0);
  clock.advance(1);
  assertEquals(task.fired, 1);
  assert(!task.isArmed);
  clock.advance(10_000);
  assertEquals(task.fired, 1);
});

Deno.test("a timer on any level of the wheel is called at its tick", () => {
  const delays = [10, 2_550, 2_560, 2_570, 30_000, 163_830, 163_840, 163_850, HOUR, 2.9 * HOUR, 2.95 * HOUR];
  for (const delay of delays) {
    const { clock, wheel } = turning();
    clock.advance(1_230);
    const task = new Task();
    wheel.arm(task, delay);
    clock.advance(delay - 1);
    assertEquals(task.fired, 0, `${delay} ms: too early`);
    clock.advance(1);
    assertEquals(task.fired, 1, `${delay} ms: too late`);
  }
});

Deno.test("a timer further ahead than the wheel reaches is not called early", () => {
  const clock = new LeapingClock();
  const wheel = new TimerWheel({ clock, onError: () => {} });
  const task = new Task();
  clock.leap(40 * MINUTE);
  wheel.arm(task, 8 * DAY);
  wheel.arm(new Task(), Infinity);
  clock.leap(8 * DAY - TICK);
  assertEquals(task.fired, 0);
  clock.leap(TICK);
  assertEquals(task.fired, 1);
  assertEquals(wheel.size, 1);
});

Deno.test("a delay is rounded up to a tick, and none is the next tick, never this turn", () => {
  for (const [delay, at] of [[-5, 10], [0, 10], [1, 10], [10, 10], [11, 20], [19.5, 20]]) {
    const { clock, wheel } = turning();
    const task = new Task();
    wheel.arm(task, delay);
    assertEquals(task.fired, 0);
    clock.advance(at - 1);
    assertEquals(task.fired, 0, `${delay} ms`);
    clock.advance(1);
    assertEquals(task.fired, 1, `${delay} ms`);
  }
});

Deno.test("a disarmed timer is not called, and disarming it again does nothing", () => {
  const { clock, wheel } = turning();
  const task = new Task();
  wheel.disarm(task);
  wheel.arm(task, 100);
  wheel.disarm(task);
  wheel.disarm(task);
  assert(!task.isArmed);
  assertEquals(wheel.size, 0);
  clock.advance(1_000);
  assertEquals(task.fired, 0);
});

Deno.test("arming an armed timer moves it", () => {
  const { clock, wheel } = turning();
  const task = new Task();
  wheel.arm(task, 100);
  wheel.arm(task, 3_000);
  assertEquals(wheel.size, 1);
  clock.advance(2_990);
  assertEquals(task.fired, 0);
  wheel.arm(task, 20);
  clock.advance(20);
  assertEquals(task.fired, 1);
});

Deno.test("a timer may arm itself again when it is called", () => {
  const { clock, wheel } = turning();
  const at: number[] = [];
  const task = new Task((task) => {
    at.push(wheel.now);
    if (at.length < 4) wheel.arm(task, 500 * 2 ** (at.length - 1));
  });
  wheel.arm(task, 500);
  clock.advance(60_000);
  assertEquals(at, [500, 1_000, 2_000, 4_000]);
});

Deno.test("a timer that arms itself with no delay is called once a tick and does not stop the wheel", () => {
  const { clock, wheel } = turning();
  const task = new Task((task) => wheel.arm(task, 0));
  wheel.arm(task, 0);
  clock.advance(50);
  assertEquals(task.fired, 5);
});

Deno.test("a timer may disarm another that is due in the same tick", () => {
  const { clock, wheel } = turning();
  const second = new Task();
  const first = new Task(() => wheel.disarm(second));
  wheel.arm(first, 100);
  wheel.arm(second, 100);
  clock.advance(200);
  assertEquals([first.fired, second.fired], [1, 0]);
});

Deno.test("timers of one tick are called in the order they were armed", () => {
  const { clock, wheel } = turning();
  const order: number[] = [];
  for (const n of [1, 2, 3]) wheel.arm(new Task(() => order.push(n)), 100);
  clock.advance(100);
  assertEquals(order, [1, 2, 3]);
});

Deno.test("a timer that throws is told of, and the others are called all the same", () => {
  const { clock, wheel, errors } = turning();
  const oops = new Error("oops");
  const after = new Task();
  const thrower = new Task(() => {
    throw oops;
  });
  wheel.arm(thrower, 100);
  wheel.arm(after, 100);
  clock.advance(100);
  assertEquals(errors, [oops]);
  assertEquals(after.fired, 1);
  assert(!thrower.isArmed);
});

Deno.test("the size counts what waits on all levels", () => {
  const { clock, wheel } = turning();
  for (const delay of [50, 5_000, HOUR, DAY]) wheel.arm(new Task(), delay);
  assertEquals(wheel.size, 4);
  clock.advance(50);
  assertEquals(wheel.size, 3);
  clock.advance(HOUR);
  assertEquals(wheel.size, 1);
});

Deno.test("a closed wheel calls nobody", () => {
  const { clock, wheel } = turning();
  const task = new Task();
  wheel.arm(task, 100);
  wheel.close();
  clock.advance(1_000);
  assertEquals(task.fired, 0);
});

Deno.test("after the process was held up, timers are called in order, each at its own tick", () => {
  const clock = new LeapingClock();
  const wheel = new TimerWheel({ clock, onError: () => {} });
  const at: number[] = [];
  for (const delay of [4_000, 20, 300_000, 2_560]) wheel.arm(new Task(() => at.push(wheel.now)), delay);
  clock.leap(HOUR);
  assertEquals(at, [20, 2_560, 4_000, 300_000]);
});

type Step =
  | readonly ["arm", timer: number, delay: number]
  | readonly ["disarm", timer: number]
  | readonly [
    "advance",
    ms: number,
  ];

const TIMERS = 6;
const timerIndex = fc.nat(TIMERS - 1);
const span = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 2_000, max: 200_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 160_000, max: 4 * HOUR }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant("arm" as const), timerIndex, span),
  fc.tuple(fc.constant("disarm" as const), timerIndex),
  fc.tuple(fc.constant("advance" as const), span),
);

/** What a wheel of no cleverness would call, as texts of tick and timer. */
function expected(steps: readonly Step[]): string[] {
  const calls: string[] = [];
  const due = new Map<number, number>();
  let now = 0;
  for (const step of steps) {
    if (step[0] === "arm") {
      due.set(step[1], Math.floor(now / TICK) + Math.max(1, Math.ceil(step[2] / TICK)));
    } else if (step[0] === "disarm") {
      due.delete(step[1]);
    } else {
      now += step[1];
      for (const [timer, tick] of due) {
        if (tick * TICK > now) continue;
        calls.push(`${tick * TICK} ${timer}`);
        due.delete(timer);
      }
    }
  }
  return calls.sort();
}

Deno.test("whatever is armed, disarmed and waited for, each timer is called just at its tick", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const clock = new LeapingClock();
      const wheel = new TimerWheel({ clock, onError: () => {} });
      const calls: string[] = [];
      const tasks = Array.from({ length: TIMERS }, (_, i) => new Task(() => calls.push(`${wheel.now} ${i}`)));
      for (const step of steps) {
        if (step[0] === "arm") wheel.arm(tasks[step[1]], step[2]);
        else if (step[0] === "disarm") wheel.disarm(tasks[step[1]]);
        else clock.leap(step[1]);
      }
      assertEquals(calls.sort(), expected(steps));
      assertEquals(wheel.size, tasks.filter((task) => task.isArmed).length);
    }),
    { numRuns: 200 },
  );
});

Deno.test("after a pause in which no interval ran, a turn makes timers count from now", () => {
  let elapsed = 0;
  const clock = { monotonic: () => elapsed, now: () => elapsed, every: () => () => {} };
  const wheel = new TimerWheel({ clock, onError: () => {} });
  const task = new Task();
  elapsed = 400;
  wheel.turn();
  wheel.arm(task, 500);
  for (const [time, fired] of [[890, 0], [900, 1]]) {
    elapsed = time;
    wheel.turn();
    assertEquals(task.fired, fired);
  }
});
