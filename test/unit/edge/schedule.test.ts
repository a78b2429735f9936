import {
  alarmSeverity,
  daysLeft,
  renewalTime,
  retryAfterMs,
  waitAfterFailure,
} from "../../../components/edge/agent/schedule";

const DAY = 86_400_000;
const MINUTE = 60_000;
const ninetyDays = { notBefore: 0, notAfter: 90 * DAY };

describe("renewal", () => {
  it("starts after two thirds of the lifetime, spread over a thirtieth", () => {
    expect(renewalTime(ninetyDays, 0)).toBe(60 * DAY);
    expect(renewalTime(ninetyDays, 1)).toBe(63 * DAY);
  });

  it("waits 2, 4, 8 … minutes after failures, at most 6 hours: five tries in the first hour", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 50].map((n) => waitAfterFailure(n, 0) / MINUTE);
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
    expect(waitAfterFailure(1, 1)).toBe(2.4 * MINUTE);
  });

  it("waits as long as the server asks for", () => {
    expect(waitAfterFailure(1, 0, 3 * DAY)).toBe(3 * DAY);
    expect(waitAfterFailure(9, 0, 1000)).toBe(360 * MINUTE);
  });

  it.each([
    [undefined, 0],
    ["120", 120_000],
    ["Thu, 01 Jan 1970 00:10:00 GMT", 5 * MINUTE],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["soon", 0],
  ])("reads Retry-After %p", (header, milliseconds) => {
    expect(retryAfterMs(header, 5 * MINUTE)).toBe(milliseconds);
  });
});

describe("alarm", () => {
  it("becomes critical in the last tenth of the lifetime", () => {
    expect(alarmSeverity(ninetyDays, 1, 80 * DAY)).toBe("warning");
    expect(alarmSeverity(ninetyDays, 1, 82 * DAY)).toBe("critical");
    expect(alarmSeverity(ninetyDays, 1, 100 * DAY)).toBe("critical");
  });

  it("becomes critical when no certificate was had in five attempts", () => {
    expect(alarmSeverity(undefined, 4, 0)).toBe("warning");
    expect(alarmSeverity(undefined, 5, 0)).toBe("critical");
  });

  it("counts days down past the end", () => {
    expect(daysLeft(ninetyDays, 88.75 * DAY)).toBe(1.3);
    expect(daysLeft(ninetyDays, 91 * DAY)).toBe(-1);
  });
});
