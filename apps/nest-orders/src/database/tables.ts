// The tables of the shop, and those of the bank, which stand for a system elsewhere. A real application has migrations.

export const tables = `
create schema if not exists shop;
create table if not exists shop.orders (
  id text primary key,
  customer text not null,
  email text not null,
  item text not null,
  quantity int not null,
  cents int not null,
  status text not null default 'placed',
  placed_at timestamptz not null default now()
);
create table if not exists shop.stock (
  item text primary key,
  on_hand int not null check (on_hand >= 0)
);
insert into shop.stock values ('lamp', 10000), ('chair', 10000), ('piano', 100), ('unicorn', 0) on conflict do nothing;

-- Nothing is unique here on purpose: what is shipped twice is there twice.
create table if not exists shop.parcels (
  number int generated always as identity primary key,
  order_id text not null,
  packed_by int not null,
  shipped_at timestamptz not null default now()
);
create table if not exists shop.mails (
  id int generated always as identity primary key,
  recipient text not null,
  subject text not null,
  sent_at timestamptz not null default now()
);
create table if not exists shop.reports (
  until timestamptz primary key,
  orders int not null,
  cents bigint not null
);

create schema if not exists bank;
create table if not exists bank.charges (
  number int generated always as identity primary key,
  idempotency_key text not null unique,
  reference text not null,
  cents int not null,
  asked_by int[] not null,
  booked_at timestamptz not null default now()
);
`;
