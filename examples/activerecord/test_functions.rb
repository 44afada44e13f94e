# Tests of the shop that sells by the functions, in a database that was made from schema.rb.
require_relative "test_helper"
require_relative "stock"

# schema.rb has tables and extensions, but no store; where there is one already, this changes nothing
ActiveRecord::Base.connection.execute(File.read("db/attach.sql"))

class FunctionsTest < RolledBack
  test "a sale inserts order and line, with the price of the product" do
    line = OrderLine.find(Stock.buy(@ann, @guitar))
    assert_equal [@ann, @guitar, 1, 1200], [line.order.user, line.product, line.quantity, line.unit_price]
    assert_not_nil line.order.created_at
    assert_equal 0, Stock.available(@guitar)
  end

  test "a refusal is IV001, and the transaction around its savepoint goes on" do
    refusal = assert_refused("IV001", "out_of_stock") { Stock.buy(@ann, @guitar, 2) }
    assert_equal 409, refusal.status
    assert_includes refusal.detail, @guitar.id.to_s
    Stock.buy(@ann, @guitar)
  end

  test "a refusal is a StatementInvalid and no subclass of it" do
    error = assert_raises(ActiveRecord::StatementInvalid) do
      ActiveRecord::Base.transaction(requires_new: true) { Stock.buy(@ann, @guitar, 2) }
    end
    assert_instance_of ActiveRecord::StatementInvalid, error
  end

  test "any other error is no refusal" do
    error = assert_raises(ActiveRecord::StatementInvalid) do
      ActiveRecord::Base.transaction(requires_new: true) { Stock.buy(@ann, @guitar, 0) }
    end
    assert_nil Refusal.of(error)
  end

  test "a retry with its key returns the same order" do
    line = Stock.buy(@ann, @poster, 2, "click-1")
    assert_equal line, Stock.buy(@ann, @poster, 2, "click-1")
    assert_refused("IV009", "idempotency_key_mismatch") { Stock.buy(@ann, @poster, 3, "click-1") }
    assert_equal 8, Stock.available(@poster)
  end

  test "a cart is one order with its lines, or none" do
    lines = [{ item_id: @guitar.id, quantity: 1 }, { item_id: @poster.id, quantity: 2 }]
    sold = Stock.buy_cart(@ann, lines, "cart-1")
    assert_equal [0, 8], sold.map { |line| line["available"] }
    assert_equal sold.map { |line| line["order_id"] }, Order.find(sold.first["header_id"]).order_lines.order(:id).ids
    assert Stock.buy_cart(@ann, lines, "cart-1").first["replayed"]
    assert_refused("IV001", "out_of_stock") { Stock.buy_cart(@bob, lines, "cart-2") }
    assert_equal 1, Order.where(user: [@ann, @bob]).count
  end

  test "a hold becomes an order, and is refunded once" do
    reservation = Stock.hold(@ann, @guitar, 1, 10.minutes)
    assert_refused("IV001", "out_of_stock") { Stock.buy(@bob, @guitar) }
    line = Stock.confirm(reservation).first["order_id"]
    assert_equal @guitar, OrderLine.find(line).product
    Stock.refund(line)
    assert_refused("IV008", "refund_exceeds_order") { Stock.refund(line) }
    assert_equal 1, Stock.available(@guitar)
  end

  test "each call in the query cache of a request is a sale" do
    ActiveRecord::Base.cache do
      assert_equal 10, Product.find(@poster.id).stock
      2.times { Stock.buy(@ann, @poster) }
      assert_equal 8, Product.find(@poster.id).stock
    end
  end

  test "select_value is answered from that cache" do
    ActiveRecord::Base.cache do
      2.times { ActiveRecord::Base.connection.select_value("SELECT buy_item(#{@ann.id}, #{@poster.id})") }
    end
    assert_equal 9, Stock.available(@poster)
  end

  test "an object that is older than a sale leaves the stock as it is" do
    Stock.buy(@ann, @poster, 4)
    @poster.update!(name: "Poster, signed")
    assert_equal [6, "Poster, signed"], [@poster.reload.stock, @poster.name]
  end

  test "change_column of the stock is refused" do
    error = assert_raises(ActiveRecord::StatementInvalid) do
      ActiveRecord::Base.transaction(requires_new: true) { ActiveRecord::Base.connection.change_column(:products, :stock, :integer) }
    end
    assert_equal "0A000", error.cause.result.error_field(PG::Result::PG_DIAG_SQLSTATE)
  end

  test "fixtures are recorded" do
    ActiveRecord::Base.connection.insert_fixtures_set({ "products" => [{ id: 1_000_000, name: "Pick", price: 1, stock: 3 }] })
    Stock.buy(@ann, Product.find(1_000_000), 3)
    assert_equal 0, Product.find(1_000_000).stock
  end
end

class FunctionsRace < ActiveSupport::TestCase
  test "of 20 buyers at once, 5 get the last 5 posters by the functions" do
    poster = Product.create!(name: "Poster", price: 35, stock: 5)
    assert_equal({ "sold" => 5, "out_of_stock" => 15 }, race { |user| Stock.buy(user, poster) })
    assert_equal [0, 5], [poster.reload.stock, OrderLine.where(product: poster).count]
    assert_empty verify
  end
end
