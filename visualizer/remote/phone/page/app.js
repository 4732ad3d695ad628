"use strict";
// The page of one phone. It shows what the show says of itself and sends what is pressed; it keeps no state of its own,
// so that several phones are in step.

const $ = (id) => document.getElementById(id);
const ANSWER_MS = 2600, RETRY_MS = [300, 700, 1500, 3000], PING_MS = 5000, HOLD_MS = 900, ROUND_BEATS = 64;
// Commands that the page has other ways for than a button of their name.
const ELSEWHERE = /^(shuffle figures|(next|previous) (look|dance|style|figure)|dance|tap tempo|next sync|(next|previous) cue|tamer|wilder|(more|less) sensitive|phone code)$/;
const KINDS = {look: "Look", dance: "Dance", style: "Style", figure: "Figure"};

let socket = null, tries = 0, isHost = false;
let state = null, lists = null, votes = null, bodies = null, bodiesBefore = null;
let offset = 0, quickest = Infinity;  // milliseconds that the show's clock is ahead of ours, by the quickest answer
let holding = null;  // the slider under a finger: what the show says of it is not shown meanwhile
let cueShown = null;  // the number of the cue that is marked
const mine = {dance: null, look: null};  // what this guest has voted for

// --- the connection

function connect() {
  socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${location.pathname.replace(/[^/]*$/, "")}ws`);
  socket.onopen = () => { tries = 0; quickest = Infinity; ping(); };
  socket.onmessage = (event) => hear(JSON.parse(event.data));
  socket.onclose = () => {
    document.body.classList.add("away");
    $("curtain-text").textContent = tries ? "the show is not there: trying again …" : "looking for the show …";
    setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  };
}

function send(message) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function buzz() {  // browsers refuse it before the first touch, and complain
  if (navigator.vibrate && navigator.userActivation && navigator.userActivation.hasBeenActive) navigator.vibrate(8);
}

function command(name, argument) {
  buzz();
  const message = {c: name, at: performance.now() + offset};
  if (argument !== undefined) message.a = String(argument);
  send(message);
}

function ping() { send({ping: performance.now()}); }

function hear(message) {
  switch (message.t) {
    case "hello": isHost = message.host; open(); break;
    case "state": state = message; showState(); break;
    case "lists": lists = message; showLists(); break;
    case "bodies": bodiesBefore = bodies; bodies = {...message, heard: performance.now()}; break;
    case "votes": showVotes(message); break;
    case "won": showWon(message); break;
    case "say": toast(message.text); break;
    case "here": showHere(message); break;
    case "pong": {
      const there = performance.now() - message.ping;
      if (there < quickest) { quickest = there; offset = message.now + there / 2 - performance.now(); }
      break;
    }
  }
}

function open() {
  document.body.classList.remove("away");
  document.body.classList.toggle("is-host", isHost);
  $("host").hidden = $("bottom").hidden = !isHost;
  $("guest").hidden = isHost;
}

// --- what is shown

function setText(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }

function lookOf(name) { return lists ? lists.looks.find((look) => look[0] === name) : undefined; }

function nameOf(kind, name) {
  if (kind === "look") return (lookOf(name) || [name, name])[1];
  return name || "as it comes";
}

function showState() {
  setText("now-dance", state.dance || "improvised");
  const look = nameOf("look", state.look);
  setText("now-style", `${state.style}${state.byMusic ? " by the music" : ""} · ${look}`);
  setText("bpm", String(Math.round(state.bpm)));
  setText("sure", state.sure > 0 ? `BPM · sure ${Math.round(100 * state.sure)}%` : "BPM · no beat heard");
  const swatch = (lookOf(state.look) || [])[2];
  document.documentElement.style.setProperty("--accent", readable((swatch && swatch[2]) || "#ff35c8"));
  if (!isHost) return;
  for (const button of document.querySelectorAll("[data-on]")) {
    const on = Boolean(state[button.dataset.on]);
    button.classList.toggle("on", on);
    button.setAttribute("aria-pressed", on);
  }
  for (const stepper of document.querySelectorAll(".stepper")) {
    const kind = stepper.dataset.kind, value = stepper.querySelector("b");
    let text = kind === "dance" ? nameOf(kind, state.asked || state.dance) : nameOf(kind, state[kind]);
    if (kind === "style" && state.byMusic) text = `auto: ${state.style}`;
    if (value.textContent !== text) value.textContent = text;
    const box = stepper.querySelector(".swatch");
    if (box && swatch) paint(box, swatch);
  }
  for (const button of $("troupe").children) button.classList.toggle("on", button.dataset.a === String(state.troupe));
  for (const button of $("sync").children) button.classList.toggle("on", button.dataset.a === state.sync);
  for (const id of ["sensitivity", "temperature"]) if (holding !== id) $(id).value = state[id];
  markCue();
  $("meter").style.transform = `scaleY(${state.energy})`;
  document.querySelector(".stage").classList.toggle("dark", state.dark);
  const chips = [["auto", state.auto && !state.locked], ["locked", state.locked], ["rec", state.recording], ["black", state.dark]];
  $("chips").replaceChildren(...chips.filter((chip) => chip[1]).map(([name]) => make("span", name, name)));
  setText("source", [state.source, ...state.outputs].join(" · "));
  if (document.activeElement !== $("title") && state.title) $("title").value = state.title;
}

function showLists() {
  const known = new Set(lists.commands.flatMap((group) => group[1].map((row) => row[0])));
  for (const button of document.querySelectorAll("[data-c]")) if (!known.has(button.dataset.c)) button.hidden = true;
  document.querySelector('[data-kind="figure"]').hidden = !(known.has("figure") && lists.figures.length > 1);
  $("title-card").hidden = !known.has("title");
  showCues();
  const shown = new Set([...document.querySelectorAll("[data-c]")].map((button) => button.dataset.c));
  const plain = (row) => !(row[2] && row[2][0] !== "[") && !shown.has(row[0]) && !ELSEWHERE.test(row[0]);
  $("all").replaceChildren(...lists.commands.flatMap(([title, rows]) => {
    const buttons = rows.filter(plain).map(([name, help]) => {
      const button = make("button", "", name);
      button.append(make("small", "", help));
      button.onclick = () => command(name);
      return button;
    });
    if (!buttons.length) return [];
    const grid = make("div", "grid");
    grid.append(...buttons);
    return [make("h3", "", title), grid];
  }));
  if (state) showState();
  if (votes) showVotes(votes);
}

function showCues() {
  $("cue-card").hidden = !lists.cues.length;
  $("cues").replaceChildren(...lists.cues.map((name, k) => {
    const button = make("button");
    button.append(make("i", "", String(k + 1)), make("b", "", name));
    button.onclick = () => command("cue", name);
    return button;
  }));
  cueShown = null;
}

function markCue() {
  if (cueShown === state.cue) return;
  cueShown = state.cue;
  [...$("cues").children].forEach((button, k) => {
    button.classList.toggle("on", k === state.cue);
    button.setAttribute("aria-current", k === state.cue);
    // Only the list is moved, never the page under a thumb.
    if (k === state.cue) $("cues").scrollTop = button.offsetTop - $("cues").offsetTop - 62;
  });
}

function showHere({hosts, guests}) {
  const phones = hosts === 1 ? "this phone runs the show" : `${hosts} phones run the show`;
  setText("here", guests ? `${phones}, ${guests} ${guests === 1 ? "guest votes" : "guests vote"}` : phones);
}

function showVotes(message) {
  votes = message;
  for (const kind of ["dance", "look"]) {
    const rows = message[kind] || [];
    if (!rows.some((row) => row[0] === mine[kind])) mine[kind] = null;
    const most = Math.max(1, ...rows.map((row) => row[1]));
    $(`vote-${kind}`).replaceChildren(...rows.map(([name, count]) => {
      const button = make("button", mine[kind] === name ? "mine" : "");
      button.setAttribute("aria-pressed", mine[kind] === name);
      const fill = make("div", "fill");
      fill.style.transform = `scaleX(${count / most})`;
      button.append(fill, ...swatchOf(kind, name), make("b", "", nameOf(kind, name)), make("span", "", count ? String(count) : ""));
      button.onclick = () => {
        buzz();
        mine[kind] = name;
        send({vote: kind, name});
        showVotes(votes);
      };
      return button;
    }));
    if (!rows.length) $(`vote-${kind}`).replaceChildren(make("p", "small", "nothing to choose from just now"));
  }
}

function showWon({kind, name}) {
  $("won").textContent = `${KINDS[kind]}: ${nameOf(kind, name)}!`;
  $("won").hidden = false;
  setTimeout(() => { $("won").hidden = true; }, 5000);
}

function swatchOf(kind, name) {
  const swatch = kind === "look" ? (lookOf(name) || [])[2] : null;
  if (!swatch) return [];
  const box = make("div", "swatch");
  paint(box, swatch);
  return [box];
}

function paint(box, [behind, body]) {
  box.style.background = `radial-gradient(circle at 50% 58%, ${body} 34%, ${behind} 38%)`;
}

function readable(colour) {  // black letters stand on it, so it must not be dark
  const parts = [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16));
  const light = (0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2]) / 255;
  if (light >= 0.45) return colour;
  return `#${parts.map((p) => Math.round(p + (255 - p) * (0.45 - light) / (1 - light)).toString(16).padStart(2, "0")).join("")}`;
}

let toastTimer = 0;
function toast(text) {
  $("toast").textContent = text;
  $("toast").classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => $("toast").classList.remove("on"), ANSWER_MS);
}

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

// --- what is drawn all the time

function beatNow() { return state.beat + (performance.now() + offset - state.at) / 60000 * state.bpm; }

function animate() {
  requestAnimationFrame(animate);
  if (!state || document.hidden) return;
  const beat = beatNow(), lit = beat - Math.floor(beat) < 0.25, place = ((Math.floor(beat) % 4) + 4) % 4;
  const name = lit ? (place ? "lamp beat" : "lamp bar") : "lamp";
  if ($("lamp").className !== name) $("lamp").className = name;
  if (isHost) {
    [...$("dots").children].forEach((dot, k) => dot.classList.toggle("on", k === place));
    drawBodies();
  } else {
    const left = ROUND_BEATS - ((beat % ROUND_BEATS) + ROUND_BEATS) % ROUND_BEATS;
    $("round").style.transform = `scaleX(${left / ROUND_BEATS})`;
    const seconds = Math.ceil(left * 60 / state.bpm);
    setText("round-text", state.locked ? "the host has locked the show: votes wait" : `votes count in ${seconds} s, then it dances what won`);
  }
}

function drawBodies() {
  const canvas = $("stage"), pixels = Math.min(devicePixelRatio || 1, 2);
  const width = Math.round(canvas.clientWidth * pixels), height = Math.round(canvas.clientHeight * pixels);
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  if (!bodies || !lists) return;
  const share = Math.min((performance.now() - bodies.heard) / 90, 1);  // between the last two that were heard
  const side = height * 1.12, top = -0.07 * height;
  const spread = Math.max(0, ...bodies.place.map(Math.abs));
  const room = spread ? Math.min(1, (width / side - 0.95) / (2 * spread)) : 1;
  const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  pen.lineCap = pen.lineJoin = "round";
  bodies.joints.forEach((joints, n) => {
    const old = bodiesBefore && bodiesBefore.joints[n] ? bodiesBefore.joints[n] : joints;
    const at = (k) => {
      const x = old[2 * k] + (joints[2 * k] - old[2 * k]) * share, y = old[2 * k + 1] + (joints[2 * k + 1] - old[2 * k + 1]) * share;
      return [width / 2 + (x / 1000 - 0.5 + bodies.place[n] * room) * side, top + y / 1000 * side];
    };
    const draw = () => {
      pen.beginPath();
      for (const [a, b] of lists.bones) { pen.moveTo(...at(a)); pen.lineTo(...at(b)); }
      pen.stroke();
    };
    pen.strokeStyle = accent; pen.globalAlpha = 0.25; pen.lineWidth = 0.075 * height; draw();
    pen.globalAlpha = 1; pen.lineWidth = 0.034 * height; draw();
    const [x, y] = at(4);
    pen.fillStyle = accent;
    pen.beginPath(); pen.arc(x, y, 0.052 * height, 0, 7); pen.fill();
  });
}

// --- what can be pressed

function chooserOf(kind) {
  if (kind === "look") return lists.looks.map((look) => [look[0], look[1]]);
  if (kind === "style") return [["auto", "by the music"], ...lists.styles.map((name) => [name, name])];
  if (kind === "dance") return [["", "as it comes"], ...lists.dances.map((name) => [name, name])];
  return lists.figures.map((name) => [name, name]);
}

function isOn(kind, name) {
  if (kind === "style") return name === (state.byMusic ? "auto" : state.style);
  if (kind === "dance") return name === (state.asked || "");
  return name === state[kind];
}

function openSheet(kind) {
  if (!lists || !state) return;
  $("sheet-title").textContent = KINDS[kind];
  $("sheet-search").value = "";
  $("sheet-search").hidden = chooserOf(kind).length < 16;
  const fill = () => {
    const wanted = $("sheet-search").value.trim().toLowerCase();
    $("sheet-list").replaceChildren(...chooserOf(kind).filter((each) => each[1].toLowerCase().includes(wanted)).map(([name, title]) => {
      const button = make("button", isOn(kind, name) ? "on" : "");
      button.append(...swatchOf(kind, name), make("b", "", title));
      button.onclick = () => { closeSheet(); command(kind, name || undefined); };
      return button;
    }));
  };
  $("sheet-search").oninput = fill;
  fill();
  $("sheet").hidden = false;
  history.pushState({sheet: true}, "");
  const on = $("sheet-list").querySelector(".on");
  if (on) on.scrollIntoView({block: "center"});
}

function closeSheet() { if (!$("sheet").hidden) history.back(); }

function arrow(points) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS(svg.namespaceURI, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  line.setAttribute("d", points);
  svg.append(line);
  return svg;
}

// Held for a second, a button is the one that a MIDI control is to learn; it then does nothing else.
function teach(button, name) {
  let timer = 0, held = false;
  button.addEventListener("pointerdown", () => {
    held = false;
    timer = setTimeout(() => { held = true; command("learn", name()); }, HOLD_MS);
  });
  for (const event of ["pointerup", "pointercancel", "pointerleave"]) button.addEventListener(event, () => clearTimeout(timer));
  button.addEventListener("click", (event) => { if (held) { event.stopImmediatePropagation(); held = false; } }, true);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
}

function prepare() {
  for (const stepper of document.querySelectorAll(".stepper")) {
    const kind = stepper.dataset.kind;
    const [before, value, after] = [make("button", "step"), make("button", "value"), make("button", "step")];
    const back = kind === "figure" ? "shuffle figures" : `previous ${kind}`;
    before.append(arrow(kind === "figure" ? "M3 7h4l10 10h4M3 17h4l3-3M14 10l3-3h4" : "M15 5l-7 7 7 7"));
    after.append(arrow("M9 5l7 7-7 7"));
    before.setAttribute("aria-label", back);
    after.setAttribute("aria-label", `next ${kind}`);
    before.onclick = () => command(back);
    after.onclick = () => command(`next ${kind}`);
    if (kind === "look") value.append(make("div", "swatch"));
    value.append(make("small", "", KINDS[kind]), make("b", "", "–"));
    value.onclick = () => openSheet(kind);
    teach(before, () => back);
    teach(value, () => kind);
    teach(after, () => `next ${kind}`);
    stepper.append(before, value, after);
  }
  for (let n = 1; n <= 9; n++) {
    const button = make("button", "", String(n));
    button.dataset.c = "troupe";
    button.dataset.a = n;
    button.setAttribute("aria-label", n === 1 ? "one dancer" : `${n} dancers`);
    $("troupe").append(button);
  }
  for (const button of document.querySelectorAll("[data-c]")) {
    button.onclick = () => command(button.dataset.c, button.dataset.a);
    teach(button, () => button.dataset.c);
  }
  teach($("tap"), () => "tap tempo");
  for (const id of ["sensitivity", "temperature"]) teach($(id).parentElement.querySelector("b"), () => id);
  // A tap counts when the finger falls, not when it is lifted.
  $("tap").onpointerdown = (event) => {
    event.preventDefault();
    command("tap tempo");
    $("tap").classList.add("hit");
    setTimeout(() => $("tap").classList.remove("hit"), 90);
  };
  $("tap").onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") command("tap tempo"); };
  for (const id of ["sensitivity", "temperature"]) {
    let sent = 0;
    $(id).oninput = () => {
      holding = id;
      if (performance.now() - sent > 120) { sent = performance.now(); command(id, $(id).value); }
    };
    $(id).onchange = () => { command(id, $(id).value); setTimeout(() => { holding = null; }, 300); };
  }
  const words = () => { command("title", $("title").value || undefined); $("title").blur(); };
  $("title-send").onclick = words;
  $("title").onkeydown = (event) => { if (event.key === "Enter") words(); };
  $("sheet-close").onclick = closeSheet;
  window.onpopstate = () => { $("sheet").hidden = true; };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { quickest = Infinity; ping(); } });
  setInterval(ping, PING_MS);
}

prepare();
connect();
animate();
