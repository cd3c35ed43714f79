// How a driver is called: `node DRIVER VERB ARGUMENTS FILE`, with the arguments in JSON and a file for the answer,
// because the packages print. The answer holds what came and when it was asked for (UTC seconds).
'use strict';
const fs = require('fs');

module.exports = (verbs) => {
  const [verb, given, file] = process.argv.slice(2);
  const from = Date.now() / 1000;
  const answer = (said) => {
    fs.writeFileSync(file, JSON.stringify({ ...said, from, to: Date.now() / 1000 }));
    process.exit(0);
  };
  const failed = (error) => answer({ error: (error && error.stack) || String(error) });
  process.on('uncaughtException', failed);
  process.on('unhandledRejection', failed);
  Promise.resolve().then(() => verbs[verb](JSON.parse(given))).then((values) => answer({ values }), failed);
};
