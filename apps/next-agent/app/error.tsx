'use client';

export default function Failure({ reset }: { readonly reset: () => void }) {
  return (
    <section className="panel narrow" role="alert">
      <h1>This page could not be shown</h1>
      <p className="lead">The server may be starting again. What is under way goes on all the same.</p>
      <button className="primary" type="button" onClick={reset}>
        Try again
      </button>
    </section>
  );
}
