"use strict";

// Telegram's Bot API on a free loopback port, by telegram-test-api, mended where that departs from
// https://core.telegram.org/bots/api. Prints `ready <address>` once it listens, and ends when its
// standard input does. The citizen's side is the package's own: POST /sendMessage, POST /getUpdates.

const TelegramServer = require("telegram-test-api");

const BOT = { id: 666, is_bot: true, first_name: "Một cửa", username: "mot_cua_bot" };
const BOT_METHOD = /^\/bot([^/]+)\/(getMe|getUpdates)$/;
const HOOK_TRIES = 5;
const HOOK_PAUSE_MS = 200;

class MendedServer extends TelegramServer {
  constructor() {
    super({ host: "127.0.0.1", storeTimeout: 3600 });
    this.config.port = 0; // the constructor takes 0 for "not given"
    const emulated = this.webServer;
    const mended = (request, response) => {
      const url = new URL(request.url, "http://emulator");
      const [, token, method] = BOT_METHOD.exec(url.pathname) ?? [];
      if (method === "getMe") {
        answer(response, BOT);
      } else if (method === "getUpdates") {
        this.longPoll(token, url.searchParams, response);
      } else {
        emulated(request, response);
      }
    };
    this.webServer = Object.assign(mended, { settings: emulated.settings });
  }

  get address() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  // The package forgets an update once it was handed out, and never waits for one. Telegram keeps
  // it until a later offset confirms it, and holds the question open.
  longPoll(token, asked, response) {
    const offset = Number(asked.get("offset") ?? 0);
    const confirmed = this.pending(token).filter((update) => update.updateId < offset);
    confirmed.forEach((update) => this.removeUserMessage(update.updateId));

    const reply = () => {
      this.off("AddedUserMessage", replyIfAny);
      clearTimeout(timer);
      answer(response, this.pending(token).map(TelegramServer.formatUpdate));
    };
    const replyIfAny = () => this.pending(token).length > 0 && reply();
    const timer = setTimeout(reply, Number(asked.get("timeout") ?? 0) * 1000);
    this.on("AddedUserMessage", replyIfAny);
    response.on("close", () => {
      this.off("AddedUserMessage", replyIfAny);
      clearTimeout(timer);
    });
    replyIfAny();
  }

  pending(token) {
    return this.storage.userMessages.filter((update) => update.botToken === token);
  }

  // The package numbers a message after its hook has answered, so that the bot's answer gets the
  // same number; it sends no secret token; and a hook that refuses ends the whole process.
  async addUserMessage(message) {
    const update = { ...this.getCommonFields(message.botToken), message };
    this.messageId += 1;
    this.updateId += 1;
    const hook = this.webhooks[message.botToken];
    if (hook === undefined) {
      this.storage.userMessages.push(update);
    } else {
      await callHook(hook, TelegramServer.formatUpdate(update));
    }
    this.emit("AddedUserMessage");
  }

  // The package gives ms where Telegram gives seconds, no sender, and options as it got them.
  addBotMessage(raw, token) {
    const message = super.addBotMessage(raw, token);
    const options = message.link_preview_options;
    return {
      ...message,
      from: BOT,
      date: Math.floor(message.date / 1000),
      link_preview_options: typeof options === "string" ? JSON.parse(options) : options,
    };
  }
}

function answer(response, result) {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ ok: true, result }));
}

// Telegram calls again after any answer but a 2xx.
async function callHook(hook, update) {
  const headers = {
    "content-type": "application/json",
    "x-telegram-bot-api-secret-token": hook.secret_token ?? "",
  };
  for (let tries = 1; tries <= HOOK_TRIES; tries += 1) {
    const status = await fetch(hook.url, { method: "POST", headers, body: JSON.stringify(update) })
      .then((response) => response.status)
      .catch(() => "unreachable");
    if (status >= 200 && status < 300) {
      return;
    }
    console.error(`the hook answers ${status}, try ${tries} of ${HOOK_TRIES}`);
    await new Promise((resume) => setTimeout(resume, HOOK_PAUSE_MS));
  }
}

async function main() {
  const server = new MendedServer();
  await server.start();
  console.log(`ready ${server.address}`);
  process.stdin.on("end", () => process.exit(0)).resume();
}

main();
