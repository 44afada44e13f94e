# For a shop that goes on to write its orders itself: the stock follows them, and no function is called.
class FollowOrders < ActiveRecord::Migration[6.1]
  def up
    execute File.read("db/follow.sql")
  end

  def down
    execute "SELECT inventory.attach('products', 'order_lines', order_writes => 'record', reset => true)"
  end
end
