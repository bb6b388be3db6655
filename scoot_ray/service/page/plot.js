// Trials over two metrics, as SVG. What a mark means is told by its shape as well as its colour:
// circle = tried, diamond = on the front, square = the default, star = chosen.

import { shape } from "./dom.js";
import { changes, show } from "./quantity.js";

const WIDTH = 640, HEIGHT = 420, LEFT = 78, RIGHT = 16, TOP = 14, BOTTOM = 48;

// Maps values to shares of an axis and back; by magnitude where they differ by more than fivefold.
export function scale(metric, groups) {
  const values = groups.flatMap((trials) => trials.map((trial) => trial.metrics[metric]));
  const low = Math.min(...values), high = Math.max(...values);
  const byMagnitude = low > 0 && high > 5 * low;
  const [to, from] = byMagnitude ? [Math.log, Math.exp] : [Number, Number];
  const margin = (to(high) - to(low) || Math.abs(to(high)) || 1) * 0.06;
  const start = to(low) - margin, length = to(high) + margin - start;
  const value = (share) => from(start + share * length);
  const ticks = (byMagnitude ? decades : evenly)(value(0), value(1));
  return { share: (each) => (to(each) - start) / length, value, ticks };
}

// Round numbers between two: 1, 2 and 5 times powers of ten.
function decades(low, high) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const powers = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  const factors = last - first > 2 ? [1] : [1, 2, 5];
  return powers.flatMap((power) => factors.map((factor) => factor * power)).filter((each) => low <= each && each <= high);
}

// Multiples of a round step between two numbers, about four of them.
function evenly(low, high) {
  const least = (high - low) / 5, power = 10 ** Math.floor(Math.log10(least));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= least);
  return Array.from({ length: Math.floor(high / step) - Math.ceil(low / step) + 1 }, (_, i) => (Math.ceil(low / step) + i) * step);
}

export function measured(study) {
  const [x, y] = study.axes.map((axis) => axis.metric);
  return study.trials.filter((trial) => trial.state === "COMPLETE" && !trial.is_bound
    && ["default", "search"].includes(trial.role) && x in trial.metrics && y in trial.metrics);
}

// `groups` holds a list of trials for each study; `limits` a bound for each axis, if any.
export function plot(axes, groups, { limits = [], chosen = null, choose = () => {} } = {}) {
  const scales = axes.map((axis) => scale(axis.metric, groups));
  const across = (value) => LEFT + scales[0].share(value) * (WIDTH - LEFT - RIGHT);
  const down = (value) => HEIGHT - BOTTOM - scales[1].share(value) * (HEIGHT - TOP - BOTTOM);
  const place = (trial) => [across(trial.metrics[axes[0].metric]), down(trial.metrics[axes[1].metric])];
  const label = axes.map((axis) => axis.metric).join(" against ");
  return shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "plot", role: "group", "aria-label": label },
    ...frame(axes, scales, across, down),
    ...limitLines(axes, limits, across, down),
    ...groups.map((trials, index) => shape("g", { class: index ? "other" : "own" },
      steps(trials, axes, place),
      ...trials.map((trial) => mark(trial, axes, place, trial === chosen, choose)))));
}

function frame(axes, scales, across, down) {
  const [top, bottom, left, right] = [TOP, HEIGHT - BOTTOM, LEFT, WIDTH - RIGHT];
  const word = (attributes, text) => shape("text", attributes, text);
  return [
    shape("path", { class: "axis", fill: "none", d: `M${left} ${top}V${bottom}H${right}` }),
    ...scales[0].ticks.map((value) => word({ x: across(value), y: bottom + 18, "text-anchor": "middle" }, show(axes[0].metric, value))),
    ...scales[1].ticks.map((value) => word({ x: left - 6, y: down(value) + 4, "text-anchor": "end" }, show(axes[1].metric, value))),
    word({ x: right, y: bottom + 38, "text-anchor": "end" }, `${axes[0].metric} ${better(axes[0], "←", "→")}`),
    word({ x: left + 6, y: top + 12 }, `${axes[1].metric} ${better(axes[1], "↓", "↑")}`),
  ];
}

function better(axis, less, more) {
  return `(better: ${axis.direction === "min" ? less : more})`;
}

function limitLines(axes, limits, across, down) {
  const [top, bottom, left, right] = [TOP, HEIGHT - BOTTOM, LEFT, WIDTH - RIGHT];
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  return axes.flatMap((axis, index) => {
    if (limits[index] === undefined) return [];
    const vertical = index === 0;
    const at = vertical ? clamp(across(limits[0]), left, right) : clamp(down(limits[1]), top, bottom);
    const far = axis.direction === "min" ? vertical : !vertical;
    const box = vertical
      ? { x: far ? at : left, y: top, width: far ? right - at : at - left, height: bottom - top }
      : { x: left, y: far ? at : top, width: right - left, height: far ? bottom - at : at - top };
    const line = vertical ? { x1: at, x2: at, y1: top, y2: bottom } : { x1: left, x2: right, y1: at, y2: at };
    return [shape("rect", { class: "beyond", ...box }), shape("line", { class: "limit", ...line })];
  });
}

function steps(trials, axes, place) {
  const front = trials.filter((trial) => trial.is_on_front).map(place).sort((a, b) => a[0] - b[0]);
  return shape("path", { class: "steps", d: front.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("") || "M0 0" });
}

function mark(trial, axes, place, isChosen, choose) {
  const [x, y] = place(trial);
  const kind = trial.role === "default" ? "default" : trial.is_on_front ? "front" : "tried";
  const values = axes.map((axis) => `${axis.metric} ${show(axis.metric, trial.metrics[axis.metric])}`).join(", ");
  const name = `Trial ${trial.number}${isChosen ? " (chosen)" : ""}, ${kind}: ${values}`;
  const made = shape("path", {
    d: SHAPES[isChosen ? "chosen" : kind], transform: `translate(${x} ${y})`,
    class: `mark ${kind}${isChosen ? " chosen" : ""}`, tabindex: "0", role: "button", "aria-label": name,
  }, shape("title", {}, `${name}\n${changes(trial.config)}`));
  made.addEventListener("click", () => choose(trial));
  made.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(trial); }
  });
  return made;
}

const SHAPES = {
  tried: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
  front: "M0 -7L7 0L0 7L-7 0Z",
  default: "M-6 -6H6V6H-6Z",
  chosen: "M0 -11L2.9 -3.4L11 -3.4L4.5 1.6L6.9 9.4L0 4.6L-6.9 9.4L-4.5 1.6L-11 -3.4L-2.9 -3.4Z",
};
