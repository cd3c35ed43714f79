// Drives npm's tradingview-api-adapter through its public API, see stage.cjs.
'use strict';
const { tv } = require('tradingview-api-adapter');
const { ChartSession } = require('tradingview-api-adapter/internal');
const stage = require('./stage.cjs');

const row = (c) => [c.time, c.open, c.high, c.low, c.close, c.volume];

// takes `number` events of a stream
const take = (stream, event, number) => new Promise((resolve, reject) => {
  const found = [];
  stream.on('error', reject);
  stream.on(event, (data) => {
    if (found.length < number) found.push(JSON.parse(JSON.stringify(data)));
    if (found.length === number) resolve(found);
  });
});

const asked = async (work) => {
  try {
    return { value: await work() };
  } catch (error) {
    return { name: error.constructor.name, code: error.code, message: error.message };
  }
};

const verbs = {
  price: ({ symbol }) => tv().symbol(symbol).price(),
  snapshot: ({ symbol, fields }) => tv().symbol(symbol).snapshot(fields),
  info: ({ symbol }) => tv().symbol(symbol).info(),
  candles: async ({ symbol, auth, ...which }) => (await tv({ auth }).symbol(symbol).candles(which)).map(row),
  stream: ({ symbol, fields, number }) => take(tv().symbol(symbol).stream(fields), 'update', number),
  prices: ({ symbols }) => tv().symbols(symbols).prices(),
  refused: ({ symbol }) => asked(() => tv().symbol(symbol).price()),
  nothing: ({ symbol }) => asked(() => tv().symbol(symbol).candles({ timeframe: '1d', count: 5 })),

  // a group whose stream gets a symbol more and one less
  async group({ first, second }) {
    const group = tv().createGroup('some', [first]);
    const stream = group.stream(['lp']);
    const before = await take(stream, 'price', 2);
    group.add(second);
    group.remove(first);
    const after = await take(stream, 'price', 3);
    return { pairs: group.pairs, before, after };
  },

  // history and every state of the newest candle
  live: ({ symbol, timeframe, count, number }) => new Promise((resolve, reject) => {
    const states = [];
    let history = null;
    const { manager } = tv();
    const chart = new ChartSession({
      manager,
      onError: reject,
      onCandles: ({ candles }) => { history = history || candles.map(row); },
      onTick: ({ candle }) => { if (states.push(row(candle)) === number) resolve({ history, states }); },
    });
    manager.connect().then(() => chart.requestSeries({ symbol, timeframe, barCount: count }), reject);
  }),
};

stage(verbs);
