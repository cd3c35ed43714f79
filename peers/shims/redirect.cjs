// Loaded by `node --require`: connections to the service's host names go to a local server instead, and to nobody
// else. Names, paths and headers stay as the package made them; the certificate is checked for the real name.
'use strict';
const tls = require('tls');

const port = Number(process.env.TVWIRE_PEERS_PORT);
const { connect } = tls;
tls.connect = function redirected(options, ...others) {
  const { host } = options;
  if (!/^([\w-]+\.)*tradingview\.com$/.test(host)) throw new Error(`${host} is none of the service's host names`);
  return connect.call(this, { ...options, host: '127.0.0.1', port, servername: host }, ...others);
};
