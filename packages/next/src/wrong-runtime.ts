// What bundlers find in place of this package where it cannot run: the edge runtime and browsers. It is taken in its CommonJS form with
// exports that are computed, so that a bundler looks for no names in it, and this is what one gets to read.

module.exports = refuse();

function refuse(): never {
  throw new Error(
    'WRONG_RUNTIME: @perdure/next was imported in the edge runtime or in a browser, where there is no connection to Postgres. In the ' +
      'edge runtime: remove `runtime = "edge"` from the route, and do not use it in proxy or middleware. In a browser: use ' +
      '"@perdure/next/client", and of workflows their types alone.',
  );
}
