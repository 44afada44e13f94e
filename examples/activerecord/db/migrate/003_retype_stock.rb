# change_column of a column that the store uses is refused (0A000).
class RetypeStock < ActiveRecord::Migration[6.1]
  def up
    execute "SELECT inventory.retype('products', 'stock', 'bigint')"
  end

  def down
    execute "SELECT inventory.retype('products', 'stock', 'integer')"
  end
end
