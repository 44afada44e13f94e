// Package shop sells by the functions of inventory, with pgx.
package shop

import (
	"context"
	_ "embed"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migration.sql
var migration string

// Line is a line of a cart.
type Line struct {
	Product  int64 `json:"item_id"`
	Quantity int   `json:"quantity"`
}

// Sold is a line that was sold; HeaderID is the key of the order.
type Sold struct {
	OrderID   int64
	HeaderID  int64
	Available int64
}

// Shop has a method for each thing that a customer does. Each is one statement, and so one transaction.
type Shop struct{ pool *pgxpool.Pool }

// Migrate makes the tables, and attaches them.
func (s Shop) Migrate(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, migration)
	return err
}

// Buy returns the key of the order line. A retry with the same idempotency key returns the same.
func (s Shop) Buy(ctx context.Context, user string, product int64, quantity int, key *string) (line int64, err error) {
	err = s.pool.QueryRow(ctx, "SELECT buy_item($1, $2, $3, $4)", user, product, quantity, key).Scan(&line)
	return line, err
}

// BuyCart sells all lines under one order, or none.
func (s Shop) BuyCart(ctx context.Context, user string, lines []Line, key *string) ([]Sold, error) {
	// without FROM, each row would be one text
	rows, err := s.pool.Query(ctx, "SELECT order_id, header_id, available FROM buy_cart($1, $2, $3)", user, lines, key)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Sold])
}

// Hold returns the key of a reservation.
func (s Shop) Hold(ctx context.Context, user string, product int64, quantity int, ttl time.Duration) (reservation string, err error) {
	err = s.pool.QueryRow(ctx, "SELECT reserve_stock($1, $2, $3, $4)", user, product, quantity, ttl).Scan(&reservation)
	return reservation, err
}

// Confirm makes an order of a reservation.
func (s Shop) Confirm(ctx context.Context, reservation string) (line int64, err error) {
	err = s.pool.QueryRow(ctx, "SELECT order_id FROM confirm_reservation($1)", reservation).Scan(&line)
	return line, err
}

// Available returns what can be sold now.
func (s Shop) Available(ctx context.Context, product int64) (units int64, err error) {
	err = s.pool.QueryRow(ctx, "SELECT available_stock($1)", product).Scan(&units)
	return units, err
}

// Refusal returns what inventory refused, or nil if the error is another one. Code is IV001 and so on, Message the
// name, such as out_of_stock; Detail has the facts, and is for the log.
func Refusal(err error) *pgconn.PgError {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && strings.HasPrefix(refused.Code, "IV") {
		return refused
	}
	return nil
}
