import { duration } from "../../../components/duration";

test.each([
  [0, "0s"],
  [5, "5s"],
  [60, "1m"],
  [90, "1m30s"],
  [120, "2m"],
  [3600, "1h"],
  [3661, "1h1m1s"],
])("%i s is written %s, so that a second preview shows no change", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
