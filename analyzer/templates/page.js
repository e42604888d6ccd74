"use strict";
// Draws what stands in the element `data`: the timeline of a run and the lock graph. No library, no network.
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const root = document.getElementById("pictures");
const SVG = "http://www.w3.org/2000/svg";
const MOST_DRAWN = 150, MOST_LISTED = 200;

function element(parent, name, attributes, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}
function drawn(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}
const shorten = (text, most) => text.length > most ? text.slice(0, most - 1) + "…" : text;

// ---- the timeline of a run

function timeline(run) {
  const section = element(root, "section", { id: "timeline" });
  element(section, "h2", {}, "Timeline");
  element(section, "p", { class: "dim" }, "One row per thread. A full bar is a lock held, a striped bar a wait, a thin line a task. Time is the order of events, not seconds." +
    (run.left_out ? " " + run.left_out + " further spans are left out." : ""));
  const bar = element(section, "div", { class: "bar" });
  const box = element(section, "div", { class: "canvas" });
  const canvas = element(box, "canvas", { tabindex: "0", role: "img", "aria-label": "timeline of " + run.threads.length + " threads" });
  const details = element(section, "div", { class: "details", id: "span-details" }, "Click a bar for its place.");
  const GUTTER = 190, LANE = 16;

  // Spans of a thread that overlap stand in lanes of their own.
  const rows = run.threads.map(() => ({ lanes: [], top: 0, height: 0 }));
  for (const span of run.spans) {
    const lanes = rows[span.thread].lanes;
    let lane = lanes.findIndex(end => end <= span.start);
    if (lane < 0) lane = lanes.push(0) - 1;
    lanes[lane] = span.end;
    span.lane = lane;
  }
  let height = 22;
  for (const row of rows) { row.top = height; row.height = Math.max(1, row.lanes.length) * LANE + 10; height += row.height; }
  let from = 0, to = Math.max(1, run.length), chosen = null;

  // Red is kept for deadlocks.
  const colour = object => "hsl(" + (70 + (object * 97) % 230) + " 50% 58%)";
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const x = step => GUTTER + (step - from) / (to - from) * (canvas.clientWidth - GUTTER - 8);
  const place = span => {
    const left = Math.max(GUTTER, x(span.start)), right = Math.min(canvas.clientWidth - 4, x(span.end));
    return { left, top: rows[span.thread].top + 5 + span.lane * LANE, width: Math.max(2, right - left), height: LANE - 3 };
  };
  const visible = span => span.end > from && span.start < to;
  const holder = wait => run.spans.find(span => span.kind === "hold" && span.object === wait.object && span.start <= wait.end && span.end >= wait.end && span.thread !== wait.thread);

  function paint() {
    const scale = window.devicePixelRatio || 1, width = box.clientWidth;
    canvas.style.width = width + "px"; canvas.style.height = height + "px";
    canvas.width = width * scale; canvas.height = height * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "12px ui-monospace, monospace"; pen.textBaseline = "middle";
    const fg = style("--fg"), dim = style("--dim"), line = style("--line"), red = style("--error");
    run.threads.forEach((name, at) => {
      const row = rows[at];
      pen.fillStyle = fg; pen.fillText(shorten(name, 25), 6, row.top + row.height / 2);
      pen.strokeStyle = line; pen.beginPath(); pen.moveTo(0, row.top); pen.lineTo(width, row.top); pen.stroke();
    });
    pen.fillStyle = dim; pen.fillText("step " + Math.round(from), GUTTER, 10);
    const last = "step " + Math.round(to); pen.fillText(last, width - 8 - pen.measureText(last).width, 10);
    for (const span of run.spans) {
      if (!visible(span)) continue;
      const at = place(span), name = run.objects[span.object];
      pen.fillStyle = span.stuck ? red : colour(span.object);
      if (span.kind === "task") { pen.globalAlpha = .5; pen.fillRect(at.left, at.top + at.height / 2 - 1, at.width, 3); pen.globalAlpha = 1; }
      else if (span.kind === "wait") {
        pen.globalAlpha = .25; pen.fillRect(at.left, at.top, at.width, at.height); pen.globalAlpha = 1;
        pen.save(); pen.beginPath(); pen.rect(at.left, at.top, at.width, at.height); pen.clip();
        pen.strokeStyle = pen.fillStyle; pen.beginPath();
        for (let step = -at.height; step < Math.min(at.width, 4000); step += 6) { pen.moveTo(at.left + step, at.top + at.height); pen.lineTo(at.left + step + at.height, at.top); }
        pen.stroke(); pen.restore();
      } else { pen.globalAlpha = span.shared ? .55 : .9; pen.fillRect(at.left, at.top, at.width, at.height); pen.globalAlpha = 1; }
      if (span === chosen) { pen.strokeStyle = fg; pen.lineWidth = 2; pen.strokeRect(at.left, at.top, at.width, at.height); pen.lineWidth = 1; }
      const label = (span.kind === "wait" ? "waits for " : "") + name;
      if (at.width > 46) {
        const text = shorten(label, Math.floor((at.width - 8) / 7.3));
        const wide = pen.measureText(text).width;
        if (span.kind !== "hold") { pen.fillStyle = style("--bg"); pen.globalAlpha = .8; pen.fillRect(at.left + 3, at.top + 1, wide + 2, at.height - 2); pen.globalAlpha = 1; pen.fillStyle = fg; } else pen.fillStyle = "#111";
        pen.fillText(text, at.left + 4, at.top + at.height / 2);
      }
    }
    // The cycle of a deadlock: from each frozen wait to whoever holds what it waits for.
    pen.strokeStyle = red; pen.fillStyle = red; pen.lineWidth = 1.5;
    for (const wait of run.spans.filter(span => span.stuck && visible(span))) {
      const held = holder(wait);
      if (!held || !visible(held)) continue;
      const a = place(wait), b = place(held), right = Math.min(a.left + a.width, b.left + b.width) - 12 - 14 * (wait.thread % 4);
      const [y1, y2] = [a.top + a.height / 2, b.top + b.height / 2];
      pen.beginPath(); pen.moveTo(right, y1); pen.lineTo(right, y2); pen.stroke();
      const way = y2 > y1 ? 1 : -1;
      pen.beginPath(); pen.moveTo(right, y2); pen.lineTo(right - 4, y2 - 8 * way); pen.lineTo(right + 4, y2 - 8 * way); pen.fill();
    }
    pen.lineWidth = 1;
  }
  function show(span) {
    chosen = span;
    const what = { hold: span.shared ? "reads" : "holds", wait: "waits for", task: "runs" }[span.kind];
    const end = span.stuck ? "never went on: part of a deadlock" : span.open ? "not ended when the recording did" : "to step " + span.end;
    const held = span.kind === "wait" ? holder(span) : null;
    details.replaceChildren();
    element(details, "b", {}, run.threads[span.thread] + " " + what + " " + run.objects[span.object]);
    element(details, "span", {}, " from step " + span.start + ", " + end + " ");
    element(details, "code", {}, span.place);
    if (held) element(details, "div", {}, "held by " + run.threads[held.thread] + " since step " + held.start + ", " + held.place);
    paint();
  }
  canvas.addEventListener("click", event => {
    const box = canvas.getBoundingClientRect(), [left, top] = [event.clientX - box.left, event.clientY - box.top];
    const hit = run.spans.filter(visible).filter(span => { const at = place(span); return left >= at.left - 1 && left <= at.left + at.width + 1 && top >= at.top && top <= at.top + at.height; });
    if (hit.length) show(hit[hit.length - 1]);
  });
  function zoom(factor) {
    const middle = (from + to) / 2, half = Math.max(2, Math.min(run.length, (to - from) * factor)) / 2;
    from = Math.max(0, middle - half); to = Math.min(Math.max(1, run.length), middle + half); paint();
  }
  function move(part) {
    const width = to - from, by = Math.max(-from, Math.min(run.length - to, width * part));
    from += by; to += by; paint();
  }
  const button = (name, action) => element(bar, "button", { type: "button" }, name).addEventListener("click", action);
  button("+", () => zoom(.5)); button("−", () => zoom(2)); button("←", () => move(-.3)); button("→", () => move(.3));
  button("all", () => { from = 0; to = Math.max(1, run.length); paint(); });
  if (run.spans.some(span => span.stuck)) button("deadlock", () => {
    const stuck = run.spans.filter(span => span.stuck), begin = Math.min(...stuck.map(span => (holder(span) || span).start));
    from = Math.max(0, begin - 3); to = Math.max(1, run.length); show(stuck[0]);
  });
  window.addEventListener("resize", paint);
  canvas.addEventListener("keydown", event => { const act = { ArrowLeft: () => move(-.3), ArrowRight: () => move(.3), "+": () => zoom(.5), "-": () => zoom(2) }[event.key]; if (act) { act(); event.preventDefault(); } });
  paint();
}

// ---- the lock graph

function graph(picture) {
  const { locks, edges, cycles } = picture;
  const section = element(root, "section", { id: "graph" });
  element(section, "h2", {}, "Lock graph");
  element(section, "p", { class: "dim" }, locks.length + " locks, " + edges.length + " order edges, " + cycles.length + " cycles" + (picture.truncated ? " (" + picture.truncated + ")" : "") + ". An arrow leads from the lock that is held to the one that is wanted under it; red ones lie on a cycle.");
  const out = locks.map(() => []), into = locks.map(() => []);
  edges.forEach((edge, at) => { out[edge.from].push(at); into[edge.to].push(at); });
  const bar = element(section, "div", { class: "bar" });
  const search = element(bar, "input", { type: "search", placeholder: "find a lock", "aria-label": "find a lock", id: "search" });
  const status = element(bar, "span", { class: "dim", id: "status" });
  const columns = element(section, "div", { class: "columns" });
  const list = element(columns, "div", { class: "list", id: "locks" });
  const right = element(columns, "div");
  const box = element(right, "div", { class: "canvas" });
  const details = element(right, "div", { class: "details", id: "details" });
  let chosen = null, marked = new Set();

  function neighbourhood(start) {
    const found = new Set([start]);
    let ring = [start];
    for (let hop = 0; hop < 2 && found.size < 60; hop++) {
      const next = [];
      for (const lock of ring) for (const at of out[lock].concat(into[lock])) for (const other of [edges[at].from, edges[at].to])
        if (!found.has(other) && found.size < 60) { found.add(other); next.push(other); }
      ring = next;
    }
    return [...found];
  }
  // Layers by the longest way from a lock that nothing is held around; an edge that closes a cycle counts for nothing.
  function layout(shown) {
    const inside = new Set(shown), rank = new Map(), state = new Map(), order = [];
    for (const start of shown) {
      const stack = [[start, 0]];
      if (state.has(start)) continue;
      state.set(start, 1);
      while (stack.length) {
        const top = stack[stack.length - 1], next = out[top[0]][top[1]++];
        if (next === undefined) { state.set(top[0], 2); order.push(top[0]); stack.pop(); continue; }
        const to = edges[next].to;
        if (inside.has(to) && !state.has(to)) { state.set(to, 1); stack.push([to, 0]); }
      }
    }
    const place = new Map(order.reverse().map((lock, at) => [lock, at]));
    for (const lock of order) rank.set(lock, 0);
    for (const lock of order) for (const at of out[lock]) {
      const to = edges[at].to;
      if (inside.has(to) && place.get(to) > place.get(lock)) rank.set(to, Math.max(rank.get(to), rank.get(lock) + 1));
    }
    const layers = [];
    for (const lock of order) (layers[rank.get(lock)] ||= []).push(lock);
    const row = new Map();
    layers.forEach(layer => layer.forEach((lock, at) => row.set(lock, at)));
    for (let sweep = 0; sweep < 4; sweep++) for (const layer of layers) {
      const weight = lock => { const near = out[lock].map(at => edges[at].to).concat(into[lock].map(at => edges[at].from)).filter(other => inside.has(other) && rank.get(other) !== rank.get(lock)); return near.length ? near.reduce((sum, other) => sum + row.get(other), 0) / near.length : row.get(lock); };
      const weights = new Map(layer.map(lock => [lock, weight(lock)]));
      layer.sort((a, b) => weights.get(a) - weights.get(b)); layer.forEach((lock, at) => row.set(lock, at));
    }
    const width = lock => Math.min(locks[lock].name.length, 26) * 7.4 + 18;
    const at = new Map();
    let left = 14;
    for (const layer of layers) {
      const widest = Math.max(...layer.map(width));
      layer.forEach((lock, place) => at.set(lock, { x: left, y: 24 + place * 46 + (rank.get(lock) % 2) * 12, w: width(lock), h: 26 }));
      left += widest + 76;
    }
    return { at, width: left, height: 70 + Math.max(...layers.map(layer => layer.length), 1) * 46 };
  }
  function draw(shown) {
    box.replaceChildren();
    if (!shown.length) { element(box, "p", { class: "dim" }, "No lock is taken while another one is held."); return; }
    const { at, width, height } = layout(shown);
    const svg = drawn(box, "svg", { width, height, viewBox: "0 0 " + width + " " + height, role: "img" });
    const head = drawn(drawn(svg, "defs"), "marker", { id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerUnits: "userSpaceOnUse", markerWidth: 9, markerHeight: 9, orient: "auto" });
    drawn(head, "path", { d: "M0 0 L8 4 L0 8 z", style: "fill:context-stroke;stroke:none" });
    edges.forEach((edge, number) => {
      const a = at.get(edge.from), b = at.get(edge.to);
      if (!a || !b) return;
      const back = b.x <= a.x;
      const [x1, y1, x2, y2] = back ? [a.x + a.w / 2, a.y + a.h, b.x + b.w / 2, b.y + b.h] : [a.x + a.w, a.y + a.h / 2, b.x - 2, b.y + b.h / 2];
      const bend = back ? "C" + x1 + " " + (Math.max(y1, y2) + 40) + " " + x2 + " " + (Math.max(y1, y2) + 40) : "C" + (x1 + 36) + " " + y1 + " " + (x2 - 36) + " " + y2;
      const kind = (edge.cyclic ? "cyclic" : "") + (marked.has(number) ? " chosen" : marked.size ? " faded" : "");
      const path = drawn(svg, "path", { d: "M" + x1 + " " + y1 + bend + " " + x2 + " " + y2, class: kind, "marker-end": "url(#head)", "data-edge": number });
      path.addEventListener("click", () => tell([number]));
    });
    for (const lock of shown) {
      const place = at.get(lock), group = drawn(svg, "g", { class: (locks[lock].ring !== undefined ? "ring" : "") + (lock === chosen ? " chosen" : ""), "data-lock": lock });
      drawn(group, "rect", { x: place.x, y: place.y, width: place.w, height: place.h, rx: 4 });
      drawn(group, "text", { x: place.x + 9, y: place.y + 17 }, shorten(locks[lock].name, 26));
      drawn(group, "title", {}, locks[lock].name);
      group.addEventListener("click", () => choose(lock));
    }
  }
  function tell(numbers) {
    details.replaceChildren();
    for (const number of numbers) {
      const edge = edges[number];
      const line = element(details, "div");
      element(line, "b", {}, locks[edge.from].name + " → " + locks[edge.to].name);
      for (const witness of edge.witnesses) element(details, "div", { class: "bare" }, witness.thread + ": held since " + witness.held + (witness.calls || []).map(call => ", by " + call).join("") + ", wanted at " + witness.wanted + (witness.test ? " (test)" : ""));
    }
  }
  function choose(lock) {
    chosen = lock; marked = new Set();
    draw(neighbourhood(lock));
    const at = locks[lock].file ? locks[lock].file + ":" + locks[lock].line : "";
    tell(out[lock].concat(into[lock]).slice(0, 40));
    details.prepend(element(null, "p", {}, locks[lock].name + " " + locks[lock].kind + " " + at + ": " + out[lock].length + " taken under it, under " + into[lock].length));
    status.textContent = "around " + locks[lock].name;
    fill();
  }
  function cycle(number) {
    chosen = null; marked = new Set(cycles[number]);
    const shown = [...new Set(cycles[number].flatMap(at => [edges[at].from, edges[at].to]))];
    draw(shown); tell(cycles[number]); status.textContent = "cycle " + (number + 1) + " of " + cycles.length; fill();
  }
  const linked = locks.map((_, at) => at).filter(at => out[at].length + into[at].length);
  const rings = linked.filter(at => locks[at].ring !== undefined);
  function whole() {
    chosen = null; marked = new Set(); details.replaceChildren();
    const shown = linked.length <= MOST_DRAWN ? linked : rings.length ? rings.slice(0, MOST_DRAWN) : [];
    if (!shown.length && linked.length) { box.replaceChildren(); element(box, "p", { class: "dim" }, linked.length + " locks are too many for one picture: choose one from the list."); }
    else draw(shown);
    status.textContent = shown.length < linked.length ? shown.length + " of " + linked.length + " locks with an order are drawn" : "";
    fill();
  }
  function fill() {
    const wanted = search.value.toLowerCase();
    list.replaceChildren();
    const entry = (text, kind, pressed, action) => { const made = element(list, "button", { type: "button", class: kind, "aria-pressed": pressed }, text); made.addEventListener("click", action); return made; };
    entry("overview", "", chosen === null && !marked.size, whole);
    if (!wanted) cycles.slice(0, 40).forEach((steps, at) => entry("cycle " + (at + 1) + ": " + steps.map(step => locks[edges[step].from].name).join(" → "), "ring", false, () => cycle(at)));
    const found = locks.map((_, at) => at).filter(at => locks[at].name.toLowerCase().includes(wanted)).sort((a, b) => out[b].length + into[b].length - out[a].length - into[a].length);
    found.slice(0, MOST_LISTED).forEach(at => entry(locks[at].name + " (" + (out[at].length + into[at].length) + ")", locks[at].ring !== undefined ? "ring" : "", at === chosen, () => choose(at)).dataset.lock = at);
    if (found.length > MOST_LISTED) element(list, "p", { class: "dim" }, found.length - MOST_LISTED + " more: search for them");
  }
  search.addEventListener("input", fill);
  whole();
}

if (data.timeline && data.timeline.spans.length) timeline(data.timeline);
if (data.graph) graph(data.graph);
})();
