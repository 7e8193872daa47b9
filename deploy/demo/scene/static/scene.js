import { words } from "./words.js";

const asked = new URLSearchParams(location.search).get("lang");
const say = words([asked, ...navigator.languages]);
const $ = (id) => document.getElementById(id);
const canvas = $("picture");
const ink = canvas.getContext("2d", { alpha: false });

document.documentElement.lang = say.lang;
document.title = say.title;
canvas.setAttribute("aria-label", say.picture);
$("levels").setAttribute("aria-label", say.levels);
$("hint").textContent = say.hint;
$("again").textContent = say.here;

// What is counted, for the page around us.
const count = { shown: 0, bytes: 0, dropped: 0, skipped: 0, rtt: 0, at: performance.now(), frameAt: performance.now() };

// --- The stream -----------------------------------------------------------

let socket;
let attempts = 0;
let timer = 0;

function connect() {
  clearTimeout(timer);
  const url = new URL("stream", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = "";
  show(attempts === 0 ? say.connecting : say.lost);
  const mine = new WebSocket(url);
  mine.binaryType = "arraybuffer";
  mine.onmessage = (e) => (typeof e.data === "string" ? told(JSON.parse(e.data)) : picture(e.data));
  mine.onclose = (e) => {
    if (mine === socket) ended(e.code);
  };
  socket = mine;
}

function ended(code) {
  forget();
  if (code === 4409) {
    show(say.elsewhere, true);
    return;
  }
  show(say.lost);
  const wait = Math.min(8000, 400 * 2 ** attempts++) * (0.5 + Math.random() / 2);
  timer = setTimeout(connect, wait);
}

$("again").onclick = () => {
  attempts = 0;
  connect();
};

function told(m) {
  if (m.type === "hello") begin(m);
  if (m.type === "stats") stats(m);
  if (m.type === "error") console.warn("the scene did not take what was sent:", m.message);
}

function begin(hello) {
  canvas.width = hello.width;
  canvas.height = hello.height;
  document.documentElement.style.setProperty("--aspect", String(hello.width / hello.height));
}

function stats(m) {
  count.rtt = m.rtt_ms;
  count.skipped = m.dropped;
  mark(m.level);
}

function show(text, again = false) {
  $("state").textContent = text;
  $("again").hidden = !again;
  $("overlay").classList.toggle("gone", text === "");
}

// --- Pictures: one is being decoded, one may wait; an older one gives way ---

let decoding = false;
let next = null;

async function picture(data) {
  count.bytes += data.byteLength;
  if (decoding) {
    if (next) count.dropped++;
    next = data;
    return;
  }
  decoding = true;
  for (next = data; next; ) {
    const now = next;
    next = null;
    try {
      // The first byte says what kind of chunk it is; here each is a whole picture.
      const bitmap = await createImageBitmap(new Blob([new Uint8Array(now, 1)], { type: "image/jpeg" }));
      ink.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      bitmap.close();
      shown();
    } catch {
      count.dropped++;
    }
  }
  decoding = false;
}

function shown() {
  count.shown++;
  count.frameAt = performance.now();
  attempts = 0;
  if (!$("overlay").classList.contains("gone")) show("");
}

function report() {
  const now = performance.now();
  const seconds = (now - count.at) / 1000;
  const open = socket.readyState === WebSocket.OPEN;
  if (open && !document.hidden && now - count.frameAt > 3000) show(say.stalled);
  if (open && window.parent !== window) {
    const message = {
      type: "rendergate.report",
      fps: Math.round((count.shown / seconds) * 10) / 10,
      rtt_ms: Math.round(count.rtt * 10) / 10,
      bitrate_bps: Math.round((count.bytes * 8) / seconds),
      frames_dropped: count.dropped + count.skipped,
    };
    window.parent.postMessage(message, "*"); // nothing in it is secret
  }
  Object.assign(count, { shown: 0, bytes: 0, at: now });
}
setInterval(report, 1000);

// --- Input: gathered, and sent at most 30 times a second -------------------

const drag = { dx: 0, dy: 0, zoom: 1 };
let due = 0;

function send(message) {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function soon() {
  due ||= setTimeout(flush, 33);
}

const within = (x, least, most) => Math.min(most, Math.max(least, x));

function flush() {
  due = 0;
  if (drag.dx || drag.dy) send({ type: "orbit", dx: within(drag.dx, -1, 1), dy: within(drag.dy, -1, 1) });
  if (drag.zoom !== 1) send({ type: "zoom", by: within(drag.zoom, 0.5, 2) });
  Object.assign(drag, { dx: 0, dy: 0, zoom: 1 });
}

const pointers = new Map();
let pinch = 0;
let tap = null;

const apart = () => {
  const [a, b] = [...pointers.values()];
  return Math.hypot(a.x - b.x, a.y - b.y);
};

canvas.addEventListener("pointerdown", (e) => {
  canvas.setPointerCapture(e.pointerId);
  pointers.set(e.pointerId, { x: e.clientX, y: e.clientY });
  canvas.classList.add("held");
  tap = pointers.size === 1 ? { x: e.clientX, y: e.clientY, at: e.timeStamp } : null;
  if (pointers.size === 2) pinch = apart();
});

canvas.addEventListener("pointermove", (e) => {
  const was = pointers.get(e.pointerId);
  if (!was) return;
  const box = canvas.getBoundingClientRect();
  pointers.set(e.pointerId, { x: e.clientX, y: e.clientY });
  if (tap && Math.hypot(e.clientX - tap.x, e.clientY - tap.y) > 8) tap = null;
  if (pointers.size === 1 && !tap) {
    drag.dx += (e.clientX - was.x) / box.width;
    drag.dy += (e.clientY - was.y) / box.height;
  } else if (pointers.size === 2) {
    const now = apart();
    drag.zoom *= now / (pinch || now);
    pinch = now;
  }
  soon();
});

function up(e) {
  if (!pointers.delete(e.pointerId)) return;
  canvas.classList.toggle("held", pointers.size > 0);
  if (tap && e.type === "pointerup" && e.timeStamp - tap.at < 500) {
    const box = canvas.getBoundingClientRect();
    send({ type: "tap", x: within((e.clientX - box.left) / box.width, 0, 1), y: within((e.clientY - box.top) / box.height, 0, 1) });
  }
  tap = null;
}
canvas.addEventListener("pointerup", up);
canvas.addEventListener("pointercancel", up);

canvas.addEventListener("wheel", (e) => {
  e.preventDefault();
  drag.zoom *= Math.exp(-within(e.deltaY, -200, 200) / 600);
  soon();
}, { passive: false });

// --- Keys -------------------------------------------------------------------

const ways = { KeyW: [0, 1], KeyS: [0, -1], KeyA: [-1, 0], KeyD: [1, 0] };
const turns = { ArrowLeft: [0.04, 0], ArrowRight: [-0.04, 0], ArrowUp: [0, 0.04], ArrowDown: [0, -0.04] };
const zooms = { "+": 1.1, "=": 1.1, "-": 1 / 1.1 };
const held = new Set();

function move() {
  const sum = [0, 0];
  for (const code of held) sum.forEach((_, i) => (sum[i] += ways[code][i]));
  send({ type: "move", x: within(sum[0], -1, 1), y: within(sum[1], -1, 1) });
}

window.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (ways[e.code]) {
    if (!held.has(e.code)) move(held.add(e.code));
  } else if (turns[e.key]) {
    drag.dx += turns[e.key][0];
    drag.dy += turns[e.key][1];
    soon();
  } else if (zooms[e.key]) {
    drag.zoom *= zooms[e.key];
    soon();
  } else if (/^[1-4]$/.test(e.key)) {
    choose(Number(e.key));
  } else if (e.key === "c" || e.key === "C") {
    send({ type: "paint" });
  } else {
    return;
  }
  e.preventDefault();
});

window.addEventListener("keyup", (e) => {
  if (held.delete(e.code)) move();
});

function forget() {
  held.clear();
}
window.addEventListener("blur", () => {
  if (held.size) {
    forget();
    move();
  }
});

// --- How much there is to draw ----------------------------------------------

const buttons = say.level.map((name, i) => {
  const b = document.createElement("button");
  const key = document.createElement("kbd");
  key.textContent = String(i + 1);
  b.type = "button";
  b.append(key, name);
  b.onclick = () => choose(i + 1);
  $("levels").append(b);
  return b;
});

function choose(level) {
  send({ type: "scene", level });
  mark(level);
}

function mark(level) {
  buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(i + 1 === level)));
}

mark(2);
connect();
