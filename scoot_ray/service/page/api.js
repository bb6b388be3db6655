// The REST API. The token is kept for this tab only, and sent in a header, never in a URL.

const KEY = "scoot-token";

export async function get(...parts) {
  return call("GET", parts);
}

export async function post(body, ...parts) {
  return call("POST", parts, JSON.stringify(body));
}

async function call(method, parts, body) {
  const headers = { "Content-Type": "application/json" };
  const token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(address(parts), { method, headers, body });
  if (answer.status === 401) {
    await askForToken();
    return call(method, parts, body);
  }
  const content = await answer.json().catch(() => ({ detail: answer.statusText }));
  if (!answer.ok) throw Object.assign(new Error(content.detail), { mistakes: content.mistakes ?? [] });
  return content;
}

function address(parts) {
  const query = parts.at(-1) instanceof URLSearchParams ? `?${parts.at(-1)}` : "";
  const names = query ? parts.slice(0, -1) : parts;
  return `api/${names.map(encodeURIComponent).join("/")}${query}`;
}

let asking = null;

function askForToken() {
  asking ??= new Promise((resolve) => {
    const door = document.getElementById("door");
    const field = document.getElementById("token");
    field.value = "";
    door.addEventListener("close", () => {
      sessionStorage.setItem(KEY, field.value.trim());
      field.value = "";
      asking = null;
      resolve();
    }, { once: true });
    door.showModal();
  });
  return asking;
}
