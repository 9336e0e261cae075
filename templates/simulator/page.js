// Brings the page to life: regions arrive over one stream, forms are sent without a reload.
// Without this script the forms post and the page loads anew.
"use strict";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
document.documentElement.classList.add("alive");

// Makes `old` like `fresh`, keeping what is the same: focus, scroll and animations stay.
function morph(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old instanceof HTMLInputElement && /^(radio|checkbox)$/.test(old.type)) {
    old.checked = fresh.hasAttribute("checked");
  }
  morphChildren(old, fresh);
}

function morphChildren(old, fresh) {
  const byId = new Map([...old.children].filter((child) => child.id).map((c) => [c.id, c]));
  let place = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    const known = node.id ? byId.get(node.id) : undefined;
    if (known) {
      if (known === place) place = place.nextSibling;
      else old.insertBefore(known, place);
      morph(known, node);
    } else if (!node.id && place && !place.id && sameKind(place, node)) {
      if (node.nodeType === Node.ELEMENT_NODE) morph(place, node);
      else if (place.data !== node.data) place.data = node.data;
      place = place.nextSibling;
    } else {
      old.insertBefore(node, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function sameKind(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName;
}

// A message that changes its state travels to its new place instead of jumping there.
function travelling(change) {
  const before = new Map(
    [...document.querySelectorAll("[data-flip]")].map((el) => [el.id, el.getBoundingClientRect()]),
  );
  change();
  if (calm.matches) return;
  for (const el of document.querySelectorAll("[data-flip]")) {
    const from = before.get(el.id);
    const to = el.getBoundingClientRect();
    if (!from) {
      el.animate([{ transform: "scale(0)" }, { transform: "scale(1)" }], 250);
    } else if (from.x !== to.x || from.y !== to.y) {
      const shift = `translate(${from.x - to.x}px, ${from.y - to.y}px)`;
      el.animate([{ transform: shift }, { transform: "none" }], {
        duration: 550,
        easing: "cubic-bezier(.3, .9, .3, 1)",
      });
    }
  }
}

function show(name, html) {
  const region = document.getElementById(`region-${name}`);
  if (!region) return;
  const fresh = document.createElement("div");
  fresh.innerHTML = html;
  const log = region.querySelector(".log");
  const incoming = log ? log.querySelectorAll(".bubble.in").length : 0;
  travelling(() => morphChildren(region, fresh));
  if (log) arrived(region, log, incoming);
}

let first = true;

function arrived(region, log, incoming) {
  const grew = log.querySelectorAll(".bubble.in").length > incoming;
  log.scrollTo({ top: log.scrollHeight, behavior: calm.matches || first ? "auto" : "smooth" });
  if (!grew || first) return;
  const phone = region.closest(".phone");
  phone.classList.remove("buzz");
  requestAnimationFrame(() => phone.classList.add("buzz"));
  setTimeout(() => phone.classList.remove("buzz"), 700);
}

// --- sending

const flash = document.getElementById("flash");

function say(sentence) {
  flash.textContent = sentence;
  flash.hidden = !sentence;
}

function fieldsOf(form, submitter) {
  const fields = new URLSearchParams(new FormData(form));
  if (submitter?.name) fields.append(submitter.name, submitter.value);
  return fields;
}

async function send(path, fields) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      body: fields,
      headers: { Accept: "application/json" },
    });
    const told = await answer.json();
    say(answer.ok ? "" : told.title);
    return answer.ok;
  } catch {
    say("Không liên lạc được với dịch vụ. Hãy xem dịch vụ có đang chạy không.");
    return false;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".live")) return;
  event.preventDefault();
  const fields = fieldsOf(form, event.submitter);
  const input = form.querySelector("input:not([type])");
  if (input) input.value = "";
  const taken = await send(form.action, fields);
  if (!taken && input && !input.value) input.value = fields.get("text");
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-at-once]");
  if (form) send(form.action, fieldsOf(form));
});

// --- watching

for (const log of document.querySelectorAll(".log")) log.scrollTop = log.scrollHeight;

const stream = new EventSource("/simulator/stream");
let lost = false;

stream.onmessage = (event) => {
  for (const [name, html] of Object.entries(JSON.parse(event.data))) show(name, html);
  if (lost) say("");
  lost = first = false;
};

stream.onerror = () => {
  lost = true;
  say("Mất kết nối với dịch vụ. Trang sẽ tự nối lại.");
};
