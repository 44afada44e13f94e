class AttachInventory < ActiveRecord::Migration[6.1]
  def up
    # does nothing where it exists, as in a copy of template1
    enable_extension "inventory"
    execute File.read("db/attach.sql")
  end

  def down
    execute "SELECT inventory.detach('products')"
  end
end
