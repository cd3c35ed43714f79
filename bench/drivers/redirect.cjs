// Sends every WebSocket of the Node library to a local server instead; loaded with `--require`. The library itself
// is not touched: its `ws` is wrapped when it asks for it.
'use strict';
const Module = require('module');

const load = Module._load;
let wrapped = null;
Module._load = function redirected(request, ...rest) {
  const found = load.call(this, request, ...rest);
  if (request !== 'ws') return found;
  wrapped ||= class Redirected extends found {
    constructor(url, ...others) {
      const { pathname, search } = new URL(url);
      super(`ws://127.0.0.1:${globalThis.benchPort}${pathname}${search}`, ...others);
      globalThis.benchSocket = this;
    }
  };
  return wrapped;
};
