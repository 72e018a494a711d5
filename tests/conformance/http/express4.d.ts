// Express 4 under a name of its own, beside Express 5. What this package uses is typed alike in both.
declare module 'express4' {
  import express from 'express';

  export default express;
}
