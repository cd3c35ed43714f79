// Drives npm's @mathieuc/tradingview through its public API, see stage.cjs.
'use strict';
const TradingView = require('@mathieuc/tradingview');
const stage = require('./stage.cjs');

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const bar = (p) => [p.time, p.open, p.max, p.min, p.close, p.volume];
const bars = (chart) => chart.periods.map(bar).reverse();
const stop = (...words) => { throw new Error(words.map(String).join(' ')); };

// a client, as a guest or signed in
async function connect(login) {
  const user = login && await TradingView.loginUser(login.username, login.password);
  const client = new TradingView.Client(user ? { token: user.session, signature: user.signature } : {});
  client.onError(stop);
  return client;
}

function open(client) {
  const chart = new client.Session.Chart();
  chart.onError(stop);
  return chart;
}

// waits for the update of a chart, a study or a quote after which `enough` holds
const until = (source, enough) => new Promise((resolve) => {
  source.onUpdate((changes) => { if (enough(changes)) resolve(); });
});

const filled = (chart) => until(chart, () => chart.periods.length);

async function chartOf({ symbol, options, login }) {
  const chart = open(await connect(login));
  chart.setMarket(symbol, options);
  await filled(chart);
  return chart;
}

const asked = async (work) => {
  try {
    return { value: await work() };
  } catch (error) {
    return { message: error.message };
  }
};

const verbs = {
  async history(given) {
    const chart = await chartOf(given);
    return { bars: bars(chart), infos: chart.infos };
  },

  async timeframe({ second, ...given }) {
    const chart = await chartOf(given);
    const before = bars(chart);
    chart.setSeries(second);
    await until(chart, () => chart.periods.length >= before.length);
    return { before, after: bars(chart) };
  },

  async market({ second, ...given }) {
    const chart = await chartOf(given);
    const before = bars(chart);
    chart.setMarket(second, given.options);
    await until(chart, () => chart.periods.length >= before.length);
    return { before, after: bars(chart), infos: chart.infos };
  },

  async more({ number, ...given }) {
    const chart = await chartOf(given);
    const before = chart.periods.length;
    chart.fetchMore(number);
    await until(chart, () => chart.periods.length >= before + number);
    return { bars: bars(chart) };
  },

  // each state of the newest candle, and in the end all of them
  async live({ symbol, options, updates, login }) {
    const chart = open(await connect(login));
    chart.setMarket(symbol, options);
    const states = [];
    await until(chart, () => {
      states.push(bar(chart.periods[0]));
      return states.length > updates;
    });
    return { states, bars: bars(chart) };
  },

  async quotes({ symbol, options, updates }) {
    const client = await connect();
    const market = new (new client.Session.Quote(options)).Market(symbol);
    const states = [];
    market.onError(stop);
    let loaded = 0;
    market.onLoaded(() => { loaded += 1; });
    await new Promise((resolve) => {
      market.onData((data) => { if (states.push({ ...data }) > updates) resolve(); });
    });
    market.close();
    return { states, loaded };
  },

  search: ({ call, words }) => TradingView[call](...words),
  ta: ({ symbol }) => TradingView.getTA(symbol),

  async indicators({ text, name }) {
    const found = await TradingView.searchIndicator(text);
    const chosen = await found.find((one) => one.name === name).get();
    const { pineId, pineVersion, description, shortDescription, inputs, plots } = chosen;
    return { found, chosen: { pineId, pineVersion, description, shortDescription, inputs, plots } };
  },

  // an indicator on a chart; what it has computed, beside the candles
  async study({ indicator, settings, builtIn, ...given }) {
    const chart = await chartOf(given);
    const made = builtIn ? new TradingView.BuiltInIndicator(indicator) : await TradingView.getIndicator(indicator);
    Object.entries(settings || {}).forEach(([key, value]) => made.setOption(key, value));
    const study = new chart.Study(made);
    study.onError(stop);
    await new Promise((resolve) => { study.onReady(resolve); });
    return { bars: bars(chart), periods: study.periods.reverse(), graphic: study.graphic };
  },

  // a strategy's report, and again after each change of its options
  async strategy({ indicator, settings, changes, ...given }) {
    const chart = await chartOf(given);
    const made = await TradingView.getIndicator(indicator);
    made.setType('StrategyScript@tv-scripting-101!');
    Object.entries(settings).forEach(([key, value]) => made.setOption(key, value));
    const study = new chart.Study(made);
    study.onError(stop);
    const waiting = [];
    const reports = [];
    study.onUpdate((changed) => { if (changed.includes('report.perf')) waiting.shift()?.(); });
    for (const change of [null, ...changes]) {
      const came = new Promise((resolve) => { waiting.push(resolve); });
      if (change) {
        made.setOption(...change);
        study.setIndicator(made);
      }
      await came;
      reports.push(JSON.parse(JSON.stringify(study.strategyReport)));
    }
    return { bars: bars(chart), reports };
  },

  // a replay: candle after candle, on request or by itself
  async replay({ symbol, options, login, steps, interval }) {
    const chart = open(await connect(login));
    const points = [];
    chart.onReplayPoint((point) => points.push(point));
    const loaded = new Promise((resolve) => { chart.onReplayLoaded(resolve); });
    chart.setMarket(symbol, options);
    await filled(chart);
    await loaded;
    const first = bars(chart);
    if (interval) await chart.replayStart(interval);
    else for (let step = 0; step < steps; step += 1) await chart.replayStep(1);
    const enough = () => chart.periods.length >= first.length + steps;
    if (!enough()) await until(chart, enough);
    if (interval) await chart.replayStop();
    const held = chart.periods.length;
    await sleep(2 * (interval || 0));
    return { first, bars: bars(chart), held, points };
  },

  // a replay, step after step until it says that this was the last
  async ending({ symbol, options }) {
    const chart = open(await connect());
    let over = false;
    chart.onReplayEnd(() => { over = true; });
    const loaded = new Promise((resolve) => { chart.onReplayLoaded(resolve); });
    chart.setMarket(symbol, options);
    await filled(chart);
    await loaded;
    for (let step = 0; !over && step < 20; step += 1) {
      await chart.replayStep(1); // eslint-disable-line no-await-in-loop
      await sleep(50); // eslint-disable-line no-await-in-loop
    }
    if (!over) throw new Error('the replay has no end');
    await chart.replayStep(1); // a step beyond the end is answered too
    return { bars: bars(chart) };
  },

  // what `onError` of a chart is told; in the end a valid market, if the session is to live on
  async refusal({ symbol, options, zone, series, next, wait }) {
    const client = await connect();
    const chart = new client.Session.Chart();
    const errors = [];
    const first = new Promise((resolve) => { chart.onError((...words) => { errors.push(words); resolve(); }); });
    if (symbol) chart.setMarket(symbol, options);
    if (zone) chart.setTimezone(zone);
    if (series) chart.setSeries(series);
    await first;
    await sleep(wait || 200);
    if (!next) return { errors };
    chart.setMarket(next, { timeframe: '1D', range: 3 });
    await filled(chart);
    return { errors, bars: bars(chart) };
  },

  // what `onError` of a quote is told
  noquote: async ({ symbol }) => {
    const client = await connect();
    const market = new (new client.Session.Quote({ fields: 'all' })).Market(symbol);
    return new Promise((resolve) => { market.onError((...words) => resolve(words)); });
  },

  // what `onError` of a client is told when it says something that the server does not take
  nonsense: ({ verb, words }) => new Promise((resolve) => {
    const client = new TradingView.Client();
    client.onError((...said) => resolve(said));
    client.send(verb, words);
  }),

  // what `onError` of a study is told
  async fault({ indicator, settings, ...given }) {
    const chart = await chartOf(given);
    const made = await TradingView.getIndicator(indicator);
    Object.entries(settings).forEach(([key, value]) => made.setOption(key, value));
    const study = new chart.Study(made);
    return new Promise((resolve) => { study.onError((...words) => resolve(words)); });
  },

  // what `onError` of a client with made-up credentials is told
  credentials: ({ token }) => new Promise((resolve) => {
    new TradingView.Client({ token }).onError((...words) => resolve(words));
  }),

  indicator: ({ id }) => asked(() => TradingView.getIndicator(id)),
  login: ({ username, password }) => asked(() => TradingView.loginUser(username, password)),

  async user({ username, password }) {
    const { session, signature } = await TradingView.loginUser(username, password);
    return TradingView.getUser(session, signature);
  },

  async scripts({ username, password }) {
    const { session, signature } = await TradingView.loginUser(username, password);
    return TradingView.getPrivateIndicators(session, signature);
  },

  drawings: ({ layout, symbol }) => asked(() => TradingView.getDrawings(layout, symbol)),
};

stage(verbs);
