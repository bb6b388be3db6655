// Values as people read them: the API speaks seconds and requests per second.

export function show(metric, value) {
  if (value === undefined || value === null) return "-";
  if (!metric.endsWith("_s") && !metric.endsWith("_rps")) return digits(value);
  if (metric.endsWith("tokens_per_s")) return `${digits(value)} tok/s`;
  if (metric.endsWith("_rps")) return `${digits(value)} req/s`;
  return Math.abs(value) < 1 ? `${digits(value * 1000)} ms` : `${digits(value)} s`;
}

export function showTrial(trial, metric) {
  const value = trial.metrics[metric];
  if (value === undefined) return "-";
  const bound = trial.is_bound ? (metric.endsWith("_s") && !metric.endsWith("_per_s") ? "at least " : "at most ") : "";
  return bound + show(metric, value);
}

export function changes(config, base) {
  const names = Object.keys(config).filter((name) => !base || base[name] !== config[name]);
  if (base && !names.length) return "the default";
  return names.map((name) => `${name}=${text(config[name])}`).join(" ");
}

export function text(value) {
  return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(3))) : String(value);
}

function digits(value) {
  return String(Number(value.toPrecision(4)));
}
