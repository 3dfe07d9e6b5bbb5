import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DatabaseAddress, describeAddress, parseDatabaseUrl } from '../../../src/db/database-url.ts';
import { isFailure, messageOf } from '../../../src/model/errors.ts';

const base: DatabaseAddress = {
  host: 'db.example.org',
  port: 5432,
  user: 'cinder',
  password: 'pw',
  database: 'cinder',
  tls: 'off',
  tlsRootCertificate: null,
};

test('the forms that are found in configuration files', () => {
  const cases: [string, Partial<DatabaseAddress>][] = [
    ['postgresql://cinder:pw@db.example.org/cinder', {}],
    ['postgresql+psycopg2://cinder:pw@db.example.org/cinder?client_encoding=utf8', {}],
    ['postgres://cinder:pw@db.example.org:5433/cinder', { port: 5433 }],
    ['  PostgreSQL://cinder:pw@db.example.org/cinder\n', {}],
    ['postgresql://cinder@db.example.org/cinder', { password: null }],
    ['postgresql://db.example.org/cinder', { user: null, password: null }],
    ['postgresql://cinder:p%40ss%2Fw%3Ard%25@db.example.org/cinder', { password: 'p@ss/w:rd%' }],
    ['postgresql://cinder:p#a/s?s%zz@db.example.org/cinder', { password: 'p#a/s?s%zz' }],
    ['postgresql://cinder:pw@[::1]:5432/cinder', { host: '::1' }],
    ['postgresql:///cinder?host=/run/pg&port=5444', { host: '/run/pg', port: 5444, user: null, password: null }],
    ['postgresql://cinder:pw@/cinder', { host: '/var/run/postgresql' }],
    ['postgresql://cinder:pw@%2Fvar%2Flib%2Fpg/cinder', { host: '/var/lib/pg' }],
    ['postgresql://cinder:pw@db.example.org/cinder?sslmode=require', { tls: 'encrypt' }],
    [
      'postgresql://cinder:pw@db.example.org/cinder?sslmode=verify-full&sslrootcert=/etc/ca.pem',
      { tls: 'verify', tlsRootCertificate: '/etc/ca.pem' },
    ],
  ];
  for (const [url, expected] of cases) assert.deepEqual(parseDatabaseUrl(url), { ...base, ...expected }, url);
});

test('what cannot be used is refused with a sentence, and without the password', () => {
  const cases: [string, RegExp][] = [
    ['mysql+pymysql://cinder:SECRET@db/cinder', /MySQL.*PostgreSQL 15 or later/],
    ['mariadb://cinder:SECRET@db/cinder', /MariaDB/],
    ['sqlite:////var/lib/cinder/SECRET.sqlite', /SQLite/],
    ['oracle://cinder:SECRET@db/cinder', /not of a kind that is known/],
    ['postgresql://cinder:SECRET@db', /names no database/],
    ['postgresql://cinder:SECRET@db:99999/cinder', /port/],
    ['postgresql://cinder:SECRET@db/cinder?sslmode=SECRET', /sslmode/],
    ['cinder:SECRET@db/cinder', /not a database URL/],
    ['', /not a database URL/],
  ];
  for (const [url, sentence] of cases) {
    assert.throws(
      () => parseDatabaseUrl(url),
      (error) =>
        isFailure(error, 'InvalidConfigurationValue') &&
        sentence.test(error.message) &&
        /connection of \[database\]/.test(error.message) &&
        !error.message.includes('SECRET'),
      url,
    );
  }
});

test('any user, password and database that were written into a URL are read out of it again', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((value) => value.isWellFormed());
  fc.assert(
    fc.property(text, text, text, fc.integer({ min: 1, max: 65535 }), (user, password, database, port) => {
      const parts = [user, password, database].map(encodeURIComponent);
      const address = parseDatabaseUrl(`postgresql://${parts[0]}:${parts[1]}@db:${port}/${parts[2]}`);
      assert.deepEqual(address, { ...base, host: 'db', port, user, password, database });
      if (password.length > 8) assert.ok(!describeAddress({ ...address, database: 'd' }).includes(password));
    }),
  );
});

test('no text whatever does anything but parse or be refused in words', () => {
  const nearly = fc.array(
    fc.constantFrom('postgresql://', 'a', ':', '@', '/', '?', '=', '&', '%', '[', ']', '#', '5', 'host', '\n', 'ü'),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        nearly.map((parts) => parts.join('')),
      ),
      (url) => {
        try {
          const { port, database } = parseDatabaseUrl(url);
          assert.ok(port >= 1 && port <= 65535 && database !== '');
        } catch (error) {
          assert.ok(isFailure(error, 'InvalidConfigurationValue'), messageOf(error));
        }
      },
    ),
  );
});
