package shop

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const ann = "6f1c1a52-3c39-4bb0-a1ff-8a8e8d9c5f10"

var ctx = context.Background()

// open returns a shop in a schema of its own. PGHOST, PGUSER and so on say where, as for psql.
func open(t *testing.T, schema string) Shop {
	config, err := pgxpool.ParseConfig("")
	check(t, err)
	config.ConnConfig.RuntimeParams["search_path"] = schema
	config.MaxConns = 20
	pool, err := pgxpool.NewWithConfig(ctx, config)
	check(t, err)
	t.Cleanup(pool.Close)
	_, err = pool.Exec(ctx, "CREATE SCHEMA "+schema)
	check(t, err)
	return Shop{pool}
}

// add returns the key of a product with a stock.
func (s Shop) add(t *testing.T, stock int) (key int64) {
	sql := "INSERT INTO products (name, price, stock) VALUES ('Poster', 35, $1) RETURNING id"
	check(t, s.pool.QueryRow(ctx, sql, stock).Scan(&key))
	return key
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("got %v, not %v", got, want)
	}
}

// refused checks that an error is this refusal.
func refused(t *testing.T, err error, code, name string) {
	t.Helper()
	refusal := Refusal(err)
	if refusal == nil {
		t.Fatalf("got %v, not %s", err, code)
	}
	equal(t, refusal.Code+" "+refusal.Message, code+" "+name)
}

func TestShop(t *testing.T) {
	shop := open(t, "sales")
	check(t, shop.Migrate(ctx))

	t.Run("a sale takes the stock and inserts the order", func(t *testing.T) {
		product := shop.add(t, 3)
		line, err := shop.Buy(ctx, ann, product, 2, nil)
		check(t, err)
		var user string
		check(t, shop.pool.QueryRow(ctx, "SELECT user_id FROM orders JOIN order_lines AS l ON order_id = orders.id WHERE l.id = $1",
			line).Scan(&user))
		equal(t, user, ann)
		left, err := shop.Available(ctx, product)
		check(t, err)
		equal(t, left, 1)
	})

	t.Run("a refusal is a PgError with Code IV001", func(t *testing.T) {
		_, err := shop.Buy(ctx, ann, shop.add(t, 3), 4, nil)
		refused(t, err, "IV001", "out_of_stock")
	})

	t.Run("a retry with its key returns the same order", func(t *testing.T) {
		product, key := shop.add(t, 3), "key-1"
		first, err := shop.Buy(ctx, ann, product, 1, &key)
		check(t, err)
		again, err := shop.Buy(ctx, ann, product, 1, &key)
		check(t, err)
		equal(t, again, first)
		_, err = shop.Buy(ctx, ann, product, 2, &key)
		refused(t, err, "IV009", "idempotency_key_mismatch")
	})

	t.Run("a cart is one order with its lines", func(t *testing.T) {
		key, lines := "cart-1", []Line{{shop.add(t, 3), 1}, {shop.add(t, 5), 2}}
		sold, err := shop.BuyCart(ctx, ann, lines, &key)
		check(t, err)
		equal(t, len(sold), 2)
		equal(t, sold[0].HeaderID, sold[1].HeaderID)
		equal(t, sold[1].Available, 3)
		again, err := shop.BuyCart(ctx, ann, lines, &key)
		check(t, err)
		equal(t, again[0], sold[0])
	})

	t.Run("a hold lasts for a Duration and is confirmed", func(t *testing.T) {
		product := shop.add(t, 1)
		hold, err := shop.Hold(ctx, ann, product, 1, 10*time.Minute)
		check(t, err)
		_, err = shop.Buy(ctx, ann, product, 1, nil)
		refused(t, err, "IV001", "out_of_stock")
		_, err = shop.Confirm(ctx, hold)
		check(t, err)
	})

	t.Run("of 50 goroutines 10 get the last 10", func(t *testing.T) {
		product := shop.add(t, 10)
		results := make([]error, 50)
		var wait sync.WaitGroup
		for n := range results {
			wait.Add(1)
			go func(n int) {
				defer wait.Done()
				_, results[n] = shop.Buy(ctx, ann, product, 1, nil)
			}(n)
		}
		wait.Wait()
		sold := 0
		for _, err := range results {
			if err == nil {
				sold++
			} else {
				refused(t, err, "IV001", "out_of_stock")
			}
		}
		equal(t, sold, 10)
	})

	t.Run("a composite without FROM is a text", func(t *testing.T) {
		var row string
		check(t, shop.pool.QueryRow(ctx, "SELECT buy_cart($1, $2)::text", ann, []Line{{shop.add(t, 3), 1}}).Scan(&row))
		equal(t, strings.HasPrefix(row, "(ok,"), true)
		var sold Sold
		err := shop.pool.QueryRow(ctx, "SELECT buy_cart($1, $2)", ann, []Line{{shop.add(t, 3), 1}}).Scan(&sold)
		equal(t, err != nil, true)
	})

	t.Run("the type of the stock is changed by retype", func(t *testing.T) {
		_, err := shop.pool.Exec(ctx, "ALTER TABLE products ALTER stock TYPE bigint")
		var refusal *pgconn.PgError
		equal(t, errors.As(err, &refusal) && refusal.Code == "0A000", true)
		_, err = shop.pool.Exec(ctx, "SELECT inventory.retype('products', 'stock', 'bigint')")
		check(t, err)
		_, err = shop.Buy(ctx, ann, shop.add(t, 1), 1, nil)
		check(t, err)
	})
}

func TestIds(t *testing.T) {
	shop := open(t, "ids")
	for _, ids := range []struct {
		kind       string
		user, item any
	}{{"bigint", int64(7), int64(42)}, {"uuid", ann, "0d8cb2a6-8f6e-4e6b-9d55-3f3f5a5ab7c1"}, {"text", "ann", "guitar"}} {
		t.Run("ids are "+ids.kind, func(t *testing.T) {
			_, err := shop.pool.Exec(ctx, "SELECT inventory.create_store($1, $2::text::regtype, $2::text::regtype)", "of_"+ids.kind, ids.kind)
			check(t, err)
			_, err = shop.pool.Exec(ctx, "INSERT INTO of_"+ids.kind+".items (id, stock) VALUES ($1, 1)", ids.item)
			check(t, err)
			var order string
			sell := "SELECT of_" + ids.kind + ".buy_item($1, $2)"
			check(t, shop.pool.QueryRow(ctx, sell, ids.user, ids.item).Scan(&order))
			refused(t, shop.pool.QueryRow(ctx, sell, ids.user, ids.item).Scan(&order), "IV001", "out_of_stock")
		})
	}
}

func TestFollow(t *testing.T) {
	shop := open(t, "follow")
	_, err := shop.pool.Exec(ctx, strings.Replace(migration, "order_values", "order_writes => 'follow', order_values", 1))
	check(t, err)
	t.Run("the stock follows orders that the shop inserts", func(t *testing.T) {
		product, order := shop.add(t, 3), int64(0)
		check(t, shop.pool.QueryRow(ctx, "INSERT INTO orders (user_id) VALUES ($1) RETURNING id", ann).Scan(&order))
		insert := "INSERT INTO order_lines (order_id, product_id, quantity, unit_price) VALUES ($1, $2, $3, 35)"
		_, err := shop.pool.Exec(ctx, insert, order, product, 2)
		check(t, err)
		_, err = shop.pool.Exec(ctx, insert, order, product, 2)
		refused(t, err, "IV001", "out_of_stock")
		_, err = shop.pool.Exec(ctx, "DELETE FROM orders WHERE id = $1", order)
		check(t, err)
		left := 0
		check(t, shop.pool.QueryRow(ctx, "SELECT stock FROM products WHERE id = $1", product).Scan(&left))
		equal(t, left, 3)
	})
}
