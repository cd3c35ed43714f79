// Drives npm's @mathieuc/tradingview through its public API, see stage.cjs.
'use strict';
const TradingView = require('@mathieuc/tradingview');
const stage = require('./stage.cjs');

function connect(login) {
  const client = new TradingView.Client(login || {});
  client.onError((...words) => { throw new Error(`client: ${words.join(' ')}`); });
  return client;
}

function open(client) {
  const chart = new client.Session.Chart();
  chart.onError((...words) => { throw new Error(`chart: ${words.join(' ')}`); });
  return chart;
}

const bar = (p) => [p.time, p.open, p.max, p.min, p.close, p.volume];
const bars = (chart) => chart.periods.map(bar).reverse();
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// waits until `enough` holds after an update of a chart or a study; the first is the one that fills it
function until(source, enough) {
  return new Promise((resolve) => { source.onUpdate((changes) => { if (enough(changes)) resolve(); }); });
}

const account = async ({ username, password }) => {
  const user = await TradingView.loginUser(username, password);
  return { token: user.session, signature: user.signature };
};

const verbs = {
  async history({ symbol, options }) {
    const chart = open(connect());
    chart.setMarket(symbol, options);
    await until(chart, () => chart.periods.length);
    return { bars: bars(chart), infos: chart.infos };
  },

  async timeframe({ symbol, options, second }) {
    const chart = open(connect());
    chart.setMarket(symbol, options);
    await until(chart, () => chart.periods.length);
    const before = bars(chart);
    chart.setSeries(second);
    await until(chart, () => chart.periods.length >= before.length);
    return { before, after: bars(chart) };
  },

  async more({ symbol, options, number }) {
    const chart = open(connect());
    chart.setMarket(symbol, options);
    await until(chart, () => chart.periods.length);
    const before = chart.periods.length;
    chart.fetchMore(number);
    await until(chart, () => chart.periods.length >= before + number);
    return { bars: bars(chart) };
  },

  // each state of the newest candle, and in the end all of them
  async live({ symbol, options, updates, login }) {
    const chart = open(connect(login && await account(login)));
    chart.setMarket(symbol, options);
    const states = [];
    await until(chart, () => {
      states.push(bar(chart.periods[0]));
      return states.length > updates;
    });
    return { states, bars: bars(chart) };
  },
};

stage(verbs);
