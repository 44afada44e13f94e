# Tests of the shop that writes its orders itself: not one call of a function that sells.
require_relative "test_helper"

def place(user, product, quantity = 1, status = "placed")
  Order.transaction(requires_new: true) do
    order = Order.create!(user: user, status: status)
    order.order_lines.create!(product: product, quantity: quantity, unit_price: product.price)
    order
  end
end

class FollowTest < RolledBack
  test "the stock follows an order that is placed, changed and cancelled" do
    order = place(@ann, @poster, 3, "cart")
    assert_equal 10, @poster.reload.stock
    order.update!(status: "placed")
    assert_equal 7, @poster.reload.stock
    order.order_lines.first.update!(quantity: 5)
    assert_equal 5, @poster.reload.stock
    order.update!(status: "cancelled")
    assert_equal 10, @poster.reload.stock
  end

  test "an order of too much is IV001, and nothing of it remains" do
    assert_refused("IV001", "out_of_stock") { place(@ann, @guitar, 2) }
    assert_equal [0, 1], [Order.where(user: @ann).count, @guitar.reload.stock]
  end

  test "an order that is destroyed gives its units back, unless it is shipped" do
    placed = place(@ann, @poster, 2)
    shipped = place(@ann, @poster, 3)
    shipped.update!(status: "shipped")
    [placed, shipped].each(&:destroy!)
    assert_equal [0, 7], [OrderLine.where(product: @poster).count, @poster.reload.stock]
  end

  test "decrement! of the stock is refused, because the orders take it" do
    assert_refused("IV013", "direct_write_refused") { @poster.decrement!(:stock) }
  end
end

class FollowRace < ActiveSupport::TestCase
  test "of 20 buyers at once, 5 get the last 5 posters by their orders" do
    poster = Product.create!(name: "Poster", price: 35, stock: 5)
    assert_equal({ "sold" => 5, "out_of_stock" => 15 }, race { |user| place(user, poster) })
    assert_equal [0, 5], [poster.reload.stock, OrderLine.where(product: poster).count]
    assert_empty verify
  end
end
