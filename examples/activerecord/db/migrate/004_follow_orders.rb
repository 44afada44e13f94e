# For a shop that goes on to write its orders itself: the stock follows them, and no function is called.
class FollowOrders < ActiveRecord::Migration[6.1]
  def up
    execute File.read("db/follow.sql")
  end

  # what the statement leaves out of it stays as it is, unless reset says otherwise
  def down
    execute File.read("db/attach.sql").sub(/\);\s*\z/, ", reset => true)")
  end
end
