// Elements, made of text and other elements. Nothing is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function table(caption, header, rows) {
  const head = element("tr", {}, ...header.map((text) => element("th", { scope: "col" }, text)));
  return element("div", { className: "wide" },
    element("table", { ariaLabel: caption },
      element("thead", {}, head),
      element("tbody", {}, ...rows.map((cells) => row(cells)))));
}

export function row(cells) {
  return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
}

export function link(text, ...parts) {
  return element("a", { href: `#/${parts.map(encodeURIComponent).join("/")}` }, text);
}

export function notice(text) {
  const bar = document.getElementById("notice");
  bar.textContent = text;
  bar.hidden = !text;
}
