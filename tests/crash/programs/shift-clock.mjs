// Loaded before everything else: sets this process's wall clock ahead by ?ms=… of its URL, or back.

const aheadMs = Number(new URL(import.meta.url).searchParams.get('ms'));
const RealDate = Date;

if (aheadMs !== 0) {
  globalThis.Date = class Date extends RealDate {
    constructor(...given) {
      if (given.length === 0) super(RealDate.now() + aheadMs);
      else super(...given);
    }

    static now() {
      return RealDate.now() + aheadMs;
    }
  };
}
