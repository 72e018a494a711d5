import Link from 'next/link';

export default function NotFound() {
  return (
    <section className="panel narrow">
      <h1>There is nothing here</h1>
      <p className="lead">No run has this address.</p>
      <Link href="/">Back to the desk</Link>
    </section>
  );
}
