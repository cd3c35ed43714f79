// Drives the Node library: one JSON task per line on standard input, one JSON answer per line on standard output.
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');

const folder = process.argv[2];
const { Client } = require(folder);
const protocol = require(path.join(folder, 'src', 'protocol'));

function clock() {
  const cpu = process.cpuUsage();
  const began = process.hrtime.bigint();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: (user + system) / 1e6, wall: Number(process.hrtime.bigint() - began) / 1e9 };
  };
}

function bar(period) {
  return [period.time, period.open, period.max, period.min, period.close, period.volume];
}

const tasks = {
  // parse messages as the library does with what its socket gives it; from the bytes, and from text made beforehand
  async parse({ file, repeat, text }) {
    const data = fs.readFileSync(file);
    const messages = [];
    for (let place = 0; place < data.length;) {
      const size = data.readUInt32BE(place);
      const message = Buffer.from(data.subarray(place + 4, place + 4 + size));
      messages.push(text ? message.toString() : message);
      place += 4 + size;
    }
    let packets = 0;
    let last = null;
    global.gc();
    const time = clock();
    for (let round = 0; round < repeat; round += 1) {
      for (const message of messages) {
        const found = protocol.parseWSPacket(text ? message : message.toString());
        packets += found.length;
        last = found[found.length - 1];
      }
    }
    return { ...time(), state: last, packets };
  },

  // follow a series; with `newest`, read the newest bar after each update
  bars({ port, count, held: range, newest }) {
    globalThis.benchPort = port;
    return new Promise((resolve, reject) => {
      const client = new Client();
      const chart = new client.Session.Chart();
      let seen = -1;
      let time = null;
      let held = 0;
      let passed = 0n;
      let read = null;
      client.onError((...words) => reject(new Error(words.join(' '))));
      chart.onError((...words) => reject(new Error(words.join(' '))));
      chart.onUpdate(() => {
        seen += 1;
        if (seen === 0) {
          held = chart.periods.length;
          // after this callback, so that its cost is not counted
          setImmediate(() => { global.gc(); time = clock(); });
          return;
        }
        if (seen === 1) passed = process.hrtime.bigint();
        if (newest) [read] = chart.periods;
        if (seen === count) {
          const spent = time();
          spent.wall = Number(process.hrtime.bigint() - passed) / 1e9;
          const state = bar(chart.periods[0]);
          if (newest && JSON.stringify(bar(read)) !== JSON.stringify(state)) reject(new Error('not the newest'));
          client.end();
          resolve({ ...spent, state, held });
        }
      });
      chart.setMarket('SIM:BENCH', { timeframe: '1', range });
    });
  },

  // connect and load bars, newest first as the library gives them
  load({ port, held: range }) {
    globalThis.benchPort = port;
    global.gc();
    return new Promise((resolve, reject) => {
      const time = clock();
      const client = new Client();
      const chart = new client.Session.Chart();
      client.onError((...words) => reject(new Error(words.join(' '))));
      chart.onError((...words) => reject(new Error(words.join(' '))));
      chart.onUpdate(() => {
        const periods = chart.periods;
        const spent = time();
        client.end();
        resolve({ ...spent, state: bar(periods[0]), held: periods.length });
      });
      chart.setMarket('SIM:BENCH', { timeframe: '1', range });
    });
  },

  // parse and fold one message of many bars: given to the library's own handler of messages
  fold({ port, file, repeat }) {
    globalThis.benchPort = port;
    const prepared = fs.readFileSync(file).subarray(4);
    return new Promise((resolve, reject) => {
      const client = new Client();
      const chart = new client.Session.Chart();
      let first = true;
      let id = '';
      globalThis.benchSocket.on('message', (message) => { id ||= (/cs_\w{12}/.exec(message) || [''])[0]; });
      client.onError((...words) => reject(new Error(words.join(' '))));
      chart.onUpdate(() => {
        if (!first) return;
        first = false;
        setImmediate(() => {
          const message = Buffer.from(prepared.toString().replace('cs_xkd21F2c6xIU', id).replace('"sds_1"', '"$prices"'));
          global.gc();
          const time = clock();
          for (let round = 0; round < repeat; round += 1) {
            chart.setTimezone('Etc/UTC'); // empties the table, as before a load
            globalThis.benchSocket.emit('message', message.toString());
          }
          const spent = time();
          const state = bar(chart.periods[0]);
          client.end();
          resolve({ ...spent, state });
        });
      });
      chart.setMarket('SIM:BENCH', { timeframe: '1', range: 1 });
    });
  },

  // follow quotes
  quotes({ port, count, symbols, fields }) {
    globalThis.benchPort = port;
    return new Promise((resolve, reject) => {
      const before = process.memoryUsage();
      const client = new Client();
      const quotes = new client.Session.Quote({ customFields: fields });
      const states = {};
      let loaded = 0;
      let seen = 0;
      let passed = 0n;
      let time = null;
      let memory = 0;
      client.onError((...words) => reject(new Error(words.join(' '))));
      symbols.forEach((symbol) => {
        const market = new quotes.Market(symbol);
        market.onError((...words) => reject(new Error(words.join(' '))));
        market.onLoaded(() => {
          loaded += 1;
          if (loaded === symbols.length) {
            setImmediate(() => {
              global.gc();
              memory = process.memoryUsage().heapUsed - before.heapUsed;
              time = clock();
            });
          }
        });
        market.onData((data) => {
          states[symbol] = data;
          if (time === null) return;
          seen += 1;
          if (seen === 1) passed = process.hrtime.bigint();
          if (seen === count) {
            const spent = time();
            spent.wall = Number(process.hrtime.bigint() - passed) / 1e9;
            client.end();
            resolve({ ...spent, state: states, memory });
          }
        });
      });
    });
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { task, ...values } = JSON.parse(line);
    let answer;
    try {
      answer = await tasks[task](values);
    } catch (error) {
      answer = { error: String(error.stack || error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

main();
