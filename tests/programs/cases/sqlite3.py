"""sqlite3: create a database, insert 20,000 rows, query, delete, vacuum, and check its integrity."""

from support import need

SCRIPT = """
PRAGMA cache_size = -8000;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INTEGER, note TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  INSERT INTO item SELECT i, 'item ' || (i * 7919 % 20011), i * i % 9973, hex(zeroblob(i % 50)) FROM n;
COMMIT;
CREATE INDEX item_price ON item (price, name);
SELECT count(*), sum(price), min(name), max(name), sum(length(note)) FROM item;
SELECT price / 1000 AS band, count(*), avg(price) FROM item GROUP BY band ORDER BY band;
SELECT a.id, b.id FROM item a JOIN item b ON a.price = b.price AND a.id < b.id ORDER BY a.id, b.id LIMIT 20;
DELETE FROM item WHERE id % 3 = 0;
VACUUM;
PRAGMA integrity_check;
SELECT count(*) FROM item;
"""


def run(stage):
    sqlite3 = need("sqlite3")
    stage.command(sqlite3, "-batch", "-init", "/dev/null", "shop.db", stdin=SCRIPT.encode())
    stage.produced("shop.db")
    stage.command(sqlite3, "-batch", "-readonly", "shop.db", ".dump")
    stage.command(sqlite3, "-batch", "shop.db", "SELECT nothing FROM nowhere", status=1)
