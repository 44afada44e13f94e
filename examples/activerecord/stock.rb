# Sells by the functions of inventory.  One call is one transaction, and the key makes retries harmless.
module Stock
  module_function

  # The key of the order line.
  def buy(user, product, quantity = 1, key = nil)
    call("SELECT buy_item($1, $2, $3, $4)", user.id, product.id, quantity, key).rows.first.first
  end

  # One row of orders with its lines, or none.  Lines are { item_id:, quantity: }.
  def buy_cart(user, lines, key = nil)
    call("SELECT * FROM buy_cart($1, $2, $3)", user.id, lines.to_json, key).to_a
  end

  # The key of a reservation, which lasts for a duration such as 10.minutes.
  def hold(user, product, quantity, ttl, key = nil)
    call("SELECT reserve_stock($1, $2, $3, $4, $5)", user.id, product.id, quantity, ttl.iso8601, key).rows.first.first
  end

  def confirm(reservation)
    call("SELECT * FROM confirm_reservation($1)", reservation).to_a
  end

  def refund(order_line)
    call("SELECT products_stock.refund_order($1)", order_line)
  end

  def available(product)
    call("SELECT available_stock($1)", product.id).rows.first.first
  end

  # select_value and the like would be answered by the query cache of a request, without a call.
  def call(sql, *arguments)
    connection = ActiveRecord::Base.connection
    result = connection.exec_query(sql, "inventory", arguments)
    connection.clear_query_cache   # it has the stock of before
    result
  end
end
